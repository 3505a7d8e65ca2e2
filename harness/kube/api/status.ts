/** Parses the API server's responses: Status, objects, lists, watch events. */
import { z } from 'zod';
import { ApiError, isLackOfPermission } from './errors.ts';
import type { KubeObject } from './types.ts';

const outcomeSchema = z.looseObject({
  status: z.string().optional(),
  code: z.number().optional(),
  reason: z.string().optional(),
  message: z.string().optional(),
  details: z
    .looseObject({
      kind: z.string().optional(),
      causes: z
        .array(
          z.looseObject({
            reason: z.string().optional(),
            message: z.string().optional(),
            field: z.string().optional(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

/** A Status response. On the status channel of exec it has no kind. */
const statusSchema = outcomeSchema.extend({ kind: z.literal('Status') });

export type Status = z.infer<typeof outcomeSchema>;

/** `undefined` when the text is not a Status object (a response of an application or a proxy). */
export function parseStatus(text: string): Status | undefined {
  return parseJson(statusSchema, text);
}

/** The message of exec's status channel; `undefined` when it cannot be parsed. */
export function parseOutcome(text: string): Status | undefined {
  return parseJson(outcomeSchema, text);
}

function parseJson<T>(schema: z.ZodType<T>, text: string): T | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

const hints: Partial<Record<number, string>> = {
  401: 'the server rejects the credentials of the kubeconfig; recreate it',
  429: 'the API server is overloaded; reduce the number of parallel checks',
};

/** A lack of permission, a quota and every admission rule have the same status. */
function hintFor(httpStatus: number, message: string): string | undefined {
  if (httpStatus !== 403) return hints[httpStatus];
  if (/(exceeded|failed) quota:/.test(message))
    return 'a ResourceQuota of the namespace has no room for it, or asks for requests and limits; raise the quota or set them';
  if (!isLackOfPermission(message) && /webhook|forbidden: (?!User )/.test(message))
    return 'an admission rule of the cluster or of the release refuses the object; permissions are not the cause';
  return 'the user of the kubeconfig lacks this permission; grant it or use another context';
}

/** The error for a response with status 400 or higher. `what`: "could not get Pod a/b". */
export function toApiError(what: string, httpStatus: number, body: string): ApiError {
  const status = parseStatus(body);
  const message = status?.message ?? body.trim().slice(0, 500);
  return new ApiError(what, httpStatus, status?.reason ?? '', message, {
    hint: hintFor(httpStatus, message),
  });
}

const metadataSchema = z.looseObject({
  name: z.string().default(''),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
});

const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: metadataSchema,
});

/** An unmodified API object. Only apiVersion, kind and metadata are validated. */
export function parseObject(body: unknown): KubeObject {
  return objectSchema.parse(body) as KubeObject;
}

const listSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ resourceVersion: z.string().optional(), continue: z.string().optional() }),
  items: z.array(z.looseObject({ metadata: metadataSchema })).nullable(),
});

export interface ObjectList {
  resourceVersion: string;
  /** Token of the next page. */
  next: string | undefined;
  items: KubeObject[];
}

/** One page of a list. Adds apiVersion and kind to the items, which lists omit. */
export function parseList(body: unknown): ObjectList {
  const list = listSchema.parse(body);
  const type = { apiVersion: list.apiVersion, kind: list.kind.replace(/List$/, '') };
  return {
    resourceVersion: list.metadata.resourceVersion ?? '',
    next: list.metadata.continue === '' ? undefined : list.metadata.continue,
    items: (list.items ?? []).map((item) => ({ ...type, ...item }) as unknown as KubeObject),
  };
}

const watchSchema = z.looseObject({ type: z.string(), object: z.looseObject({}) });

/** Parses one line of a watch. */
export function parseWatchLine(line: string): { type: string; object: Record<string, unknown> } {
  return watchSchema.parse(JSON.parse(line));
}
