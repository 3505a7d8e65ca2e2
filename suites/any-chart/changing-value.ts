/** A value of a chart that changes its configuration and nothing else: with it, a check changes the configuration as the owner would. */
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { field, podTemplateOf } from '../../harness/kube/manifests/objects.ts';

export interface Candidate {
  /** `web.greeting`, as for `helm --set`. */
  path: string;
  value: string;
}

/** Renders cost a quarter of a second each. */
const MOST = 12;
/** A shorter text may be in the configuration by chance. */
const SHORTEST = 3;

/**
 * Texts among the values that the content of the objects contains, free text first: an application accepts another text more likely than
 * another number, address or word of a list.
 *
 * @param values all values of the chart, merged
 * @param contents the content of ConfigMaps and Secrets
 */
export function candidatesOf(values: unknown, contents: readonly string[]): Candidate[] {
  const rank = ({ value }: Candidate): number => (/\s/.test(value) ? 1000 : 0) + Math.min(value.length, 500);
  return leavesOf(values, [])
    .filter(({ value }) => value.length >= SHORTEST && contents.some((content) => content.includes(value)))
    .sort((one, other) => rank(other) - rank(one))
    .slice(0, MOST);
}

/** Lists are left out: `--set` replaces a list as a whole. */
function leavesOf(tree: unknown, at: readonly string[]): Candidate[] {
  if (typeof tree === 'string' && at.length > 0) return [{ path: at.map(escaped).join('.'), value: tree }];
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return [];
  return Object.entries(tree).flatMap(([key, value]) => leavesOf(value, [...at, key]));
}

/** The pair for `helm --set-string`-like use in `--set`: another text. */
export function changed({ path, value }: Candidate): string {
  return `${path}=${escaped(`${value.trimEnd()} kindproof`)}`;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\,.[\]{}=]/g, (character) => `\\${character}`);
}

/** What a changed value does to the rendered objects. */
export interface Effect {
  /** ConfigMaps and Secrets with other content. */
  configuration: KubeObject[];
  /** Workloads with another pod template. */
  templates: KubeObject[];
}

/**
 * The effect of a change, if it changes ConfigMaps and Secrets, and of other objects no more than the metadata: a checksum, for example.
 * `undefined` when it changes more or nothing, or other objects are rendered. Hooks do not count.
 */
export function effectOf(before: readonly KubeObject[], after: readonly KubeObject[]): Effect | undefined {
  if (before.length !== after.length) return undefined;
  const effect: Effect = { configuration: [], templates: [] };
  for (const [index, one] of before.entries()) {
    const other = after[index];
    if (one.kind !== other?.kind || one.metadata.name !== other.metadata.name) return undefined;
    if (isDeepStrictEqual(one, other)) continue;
    if (one.kind === 'ConfigMap' || one.kind === 'Secret') effect.configuration.push(other);
    else if (!isDeepStrictEqual(withoutMetadata(one), withoutMetadata(other))) return undefined;
    else if (!isDeepStrictEqual(podTemplateOf(one), podTemplateOf(other))) effect.templates.push(other);
  }
  return effect.configuration.length > 0 ? effect : undefined;
}

function withoutMetadata(object: KubeObject): unknown {
  const spec = field(object, 'spec');
  const template = field(spec, 'template');
  if (typeof spec !== 'object' || typeof template !== 'object') return { ...object, metadata: undefined };
  return {
    ...object,
    metadata: undefined,
    spec: { ...spec, template: { ...template, metadata: undefined } },
  };
}

/** The content of ConfigMaps and Secrets as text. */
export function contentsOf(objects: readonly KubeObject[]): string[] {
  return objects.flatMap((object) => {
    const texts = Object.values((field(object, 'data') ?? {}) as Record<string, string>);
    const plain = Object.values((field(object, 'stringData') ?? {}) as Record<string, string>);
    const decoded =
      object.kind === 'Secret' ? texts.map((text) => Buffer.from(text, 'base64').toString()) : texts;
    return [...decoded, ...plain].map(String);
  });
}
