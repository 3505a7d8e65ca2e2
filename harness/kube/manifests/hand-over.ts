/** Hands values to the containers of a subject, wherever they read them. */
import { UsageError } from '../../core/errors.ts';
import type { KubeObject } from '../api/types.ts';
import { nameOf } from './objects.ts';
import {
  settingsLike,
  settingsOf,
  sourceText,
  type Setting,
  type SettingSource,
  type WantedSetting,
} from './model/settings.ts';

export interface GivenSetting extends WantedSetting {
  /** `null` removes it. */
  value: string | null;
  /** A subject whose containers do not read it is left as it is. */
  optional?: boolean;
}

/**
 * Writes the value where the containers read it: into keys of ConfigMaps and Secrets, into variables with a value of their own. A URL that
 * a variable composes of others (`postgresql://$(USER):$(PASSWORD)@db/tools`) is handed over in its parts.
 *
 * @param objects changed in place
 * @throws UsageError E_PATCH_TARGET when no container reads it, or from objects that are not rendered
 */
export function handOver(objects: readonly KubeObject[], given: GivenSetting): void {
  const found = settingsLike(objects, given);
  const [title = ''] = given.names;
  if (found.length === 0) {
    if (given.optional) return;
    const read = [...new Set(settingsOf(objects).map(({ name }) => name))].join(', ');
    throw new UsageError('E_PATCH_TARGET', `no container reads ${title}`, {
      hint: `The containers read: ${read || 'nothing'}`,
    });
  }
  const written = found.filter(({ source }) => 'container' in source || source.object);
  for (const setting of written) write(objects, setting, given.value);
  const [lost] = found;
  if (written.length > 0 || given.optional || !lost) return;
  throw new UsageError(
    'E_PATCH_TARGET',
    `container ${lost.reader.container.name} of ${nameOf(lost.reader.object)} reads ${lost.name} from ${sourceText(lost.source)}, which is not rendered`,
    { hint: 'Add it to the manifests, with any value.' },
  );
}

/** A new key of a Secret goes to `stringData`; an existing one stays in `data` or `stringData`. */
function writeKey(object: KubeObject, key: string, value: string | null): void {
  const target = object as KubeObject & Partial<Record<'data' | 'stringData', Record<string, string>>>;
  const isSecret = object.kind === 'Secret';
  const isEncoded = isSecret && target.data?.[key] !== undefined;
  delete target.data?.[key];
  delete target.stringData?.[key];
  if (value === null) return;
  if (isEncoded) target.data = { ...target.data, [key]: Buffer.from(value).toString('base64') };
  else if (isSecret) target.stringData = { ...target.stringData, [key]: value };
  else target.data = { ...target.data, [key]: value };
}

function write(
  objects: readonly KubeObject[],
  { source, value: present }: Setting,
  value: string | null,
): void {
  const composed = present !== undefined && value !== null ? compose(objects, present, value) : value;
  writeTo(source, composed);
}

function writeTo(source: SettingSource, value: string | null): void {
  if ('key' in source) {
    if (source.object) writeKey(source.object, source.key, value);
    return;
  }
  const { container, variable } = source;
  container.env = (container.env ?? []).flatMap((entry) => {
    if (entry.name !== variable) return [entry];
    return value === null ? [] : [{ ...entry, value }];
  });
}

/** Scheme, user, password, host, port, path. */
const URL_PARTS = /^([a-z][a-z0-9+.-]*:\/\/)([^:@/]*)(?::([^@/]*))?@([^:/]*)(?::([^/]*))?(\/.*)?$/i;
const REFERENCE = /^\$\(([^)]+)\)$/;

/** The present text with the parts of the URL; parts that are references to other variables are written to these. */
function compose(objects: readonly KubeObject[], present: string, url: string): string {
  const [have, want] = [URL_PARTS.exec(present), URL_PARTS.exec(url)];
  if (!have || !want || !present.includes('$(')) return url;
  const part = (index: number): string => {
    const [name, value] = [REFERENCE.exec(have[index]?.replace(/^\//, '') ?? '')?.[1], want[index] ?? ''];
    if (name === undefined) return value;
    for (const { source } of settingsOf(objects).filter((setting) => setting.name === name))
      writeTo(source, value.replace(/^\//, ''));
    return have[index] ?? '';
  };
  return `${part(1)}${part(2)}:${part(3)}@${part(4)}:${part(5)}${part(6)}`;
}
