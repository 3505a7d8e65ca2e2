/** Parses and validates manifests. Everything rendered enters the harness here. */
import { parseAllDocuments, type Tags } from 'yaml';
import { z } from 'zod';
import { UsageError } from '../../core/errors.ts';
import type { KubeObject } from '../api/types.ts';

/** One document of a multi-document manifest. */
export interface Manifest {
  object: KubeObject;
  /** Its file, or its template as in helm's comment: `toolman/templates/deployment.yaml`. */
  source?: string;
  /** The rendered document, without the separator. */
  text: string;
}

const kubeObject = z.looseObject({
  apiVersion: z.string().min(1),
  kind: z.string().min(1),
  metadata: z.looseObject({
    name: z.string().min(1),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});

/**
 * Helm and the API server read YAML 1.1 in Go's dialect: `0400` is octal and `on` is true, but a timestamp stays a string
 * and `22:80` is not a base-60 number (go-yaml v2, resolve.go).
 */
export const GO_YAML = {
  version: '1.1',
  schema: 'yaml-1.1',
  // In helm the last of two equal keys wins. Strict validation by the API server finds duplicates.
  uniqueKeys: false,
  customTags: (tags: Tags): Tags =>
    tags.filter(
      (tag) =>
        typeof tag === 'string' ||
        (tag.tag !== 'tag:yaml.org,2002:timestamp' && !('format' in tag && tag.format === 'TIME')),
    ),
} as const;

/**
 * Parses a multi-document manifest. Empty documents are dropped, a `List` is replaced by its items.
 *
 * @param file source of the text; default: the template in helm's comment of each document
 * @throws UsageError E_MANIFEST with template and reason
 */
export function parseManifests(text: string, file?: string): Manifest[] {
  return splitDocuments(text).flatMap((document) => {
    const source = file ?? /^# Source: (.+)$/m.exec(document)?.[1]?.trim();
    const value = withoutNulls(parseYaml(document, source));
    if (value === undefined) return [];
    return unwrapList(value).map((item) => ({
      object: parseObject(item, source),
      ...(source === undefined ? {} : { source }),
      text: document,
    }));
  });
}

/** Splits a manifest at `---` lines, as helm does, and drops empty documents. */
function splitDocuments(text: string): string[] {
  return text
    .split(/^---(?=\s|$)/m)
    .map((piece) => piece.replace(/^[^\S\n]*\n/, '').trimEnd())
    .filter((piece) => piece.split('\n').some((line) => line.trim() !== '' && !line.startsWith('#')));
}

/** Validates that a value is an API object with a name. */
export function parseObject(value: unknown, source?: string): KubeObject {
  const parsed = kubeObject.safeParse(value);
  if (parsed.success) return parsed.data as KubeObject;
  const where = source ?? 'the manifest';
  throw new UsageError('E_MANIFEST', `${where} is not a valid object: ${z.prettifyError(parsed.error)}`, {
    hint: 'Every object needs apiVersion, kind and metadata.name. Labels and annotations are strings: quote true, 1 and the like.',
  });
}

function parseYaml(document: string, source: string | undefined): unknown {
  const [parsed, ...more] = parseAllDocuments(document, { ...GO_YAML, logLevel: 'silent' });
  const problem = parsed && 'errors' in parsed ? parsed.errors[0] : undefined;
  if (problem || more.length > 0) {
    throw new UsageError(
      'E_MANIFEST',
      `${source ?? 'the manifest'} is not valid YAML: ${problem?.message ?? 'more than one document'}`,
      { hint: 'Check the indentation and the quotes there.' },
    );
  }
  return parsed && 'toJS' in parsed ? parsed.toJS() : undefined;
}

function unwrapList(value: unknown): unknown[] {
  const list = z.object({ kind: z.string().regex(/List$/), items: z.array(z.unknown()) }).safeParse(value);
  return list.success ? list.data.items : [value];
}

/** The API treats a null field as absent. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object') return value;
  const entries = Object.entries(value as Record<string, unknown>).filter(
    ([, v]) => v !== null && v !== undefined,
  );
  return Object.fromEntries(entries.map(([key, v]) => [key, withoutNulls(v)]));
}
