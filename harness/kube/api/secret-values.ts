/** What objects say about secrets: the values of Secrets, and the names that must stay readable. */
import type { FoundSecrets, SecretValue } from '../../core/redact.ts';
import type { KubeObject } from './types.ts';

/** Helm's records of releases hold whole manifests, compressed. Searching for them would find nothing and take long. */
const HELM_RELEASE = 'helm.sh/release.v1';

/** Every Secret but helm's own records, for a list or a watch. */
export const SECRETS_WITHOUT_RELEASES = `type!=${HELM_RELEASE}`;

/** Finds the values of all Secrets among the objects, decoded, and the names that the objects use. */
export function secretsIn(objects: readonly KubeObject[]): FoundSecrets {
  const names = new Set<string>();
  for (const object of objects) {
    addNames(object.kind === 'Secret' ? object.metadata : object, names);
  }
  return { values: objects.filter(isSecret).flatMap(valuesOf), names: [...names] };
}

function isSecret({ apiVersion, kind, type }: KubeObject & { type?: unknown }): boolean {
  // Items of a list have neither kind nor apiVersion; the caller completes the kind.
  return kind === 'Secret' && (!apiVersion || apiVersion === 'v1') && type !== HELM_RELEASE;
}

function valuesOf(secret: KubeObject): SecretValue[] {
  return [
    ...stringsOf(secret['data']).flatMap(([key, encoded]) => decoded(encoded).map((text) => ({ key, text }))),
    ...stringsOf(secret['stringData']).map(([key, text]) => ({ key, text })),
  ];
}

function stringsOf(map: unknown): [string, string][] {
  if (typeof map !== 'object' || map === null) return [];
  return Object.entries(map).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

/** Bytes that are no text, such as a keystore, are only ever shown encoded. */
function decoded(encoded: string): string[] {
  const bytes = Buffer.from(encoded, 'base64');
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? [text] : [bytes.toString('base64'), bytes.toString('hex')];
}

/** Values of `name`, `namespace` and labels, and the words of image references. */
function addNames(value: unknown, names: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) addNames(item, names);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    if (typeof item !== 'string') {
      if (key === 'labels' || key === 'matchLabels')
        for (const [, label] of stringsOf(item)) names.add(label);
      addNames(item, names);
    } else if (key === 'image') {
      for (const word of item.split(/[/:@]/)) names.add(word);
    } else if (/^(?:name|namespace|\w+Name)$/.test(key)) names.add(item);
  }
}
