/** The API server's own answers about failure, and lists: parsed once, here. */
import { z } from 'zod';
import { ApiError } from './errors.ts';
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

/** As an answer; on the status channel of exec it comes without its kind. */
const statusSchema = outcomeSchema.extend({ kind: z.literal('Status') });

export type Status = z.infer<typeof outcomeSchema>;

/** `undefined` when the text is not a Status object (an application's answer, a proxy's page). */
export function parseStatus(text: string): Status | undefined {
  return parseJson(statusSchema, text);
}

/** What the status channel of exec says; `undefined` when it is not readable. */
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
  401: 'the credentials of the kubeconfig are no longer accepted; write it anew',
  403: 'the user of the kubeconfig lacks this permission; grant it or use another context',
  429: 'the API server is overloaded; run fewer things at the same time',
};

/** The error for an answer with a status of 400 or more. `what` completes "could not …" ("get Pod a/b"). */
export function toApiError(what: string, httpStatus: number, body: string): ApiError {
  const status = parseStatus(body);
  const message = status?.message ?? body.trim().slice(0, 500);
  return new ApiError(what, httpStatus, status?.reason ?? '', message, { hint: hints[httpStatus] });
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

/** An API object as it came: only what every object has is verified, no field is dropped. */
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

/** A page of a list; its items get the apiVersion and kind that lists leave out. */
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

/** One line of a watch. */
export function parseWatchLine(line: string): { type: string; object: Record<string, unknown> } {
  return watchSchema.parse(JSON.parse(line));
}
