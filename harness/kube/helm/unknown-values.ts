/** Which values of `--set` a chart does not declare: helm accepts and ignores them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { GO_YAML } from '../manifests/parse.ts';
import type { Subject } from './types.ts';

/**
 * The pairs whose path is neither in the chart's values.yaml nor in the values of the subject. An empty map or list on the way is a place
 * for values of the user. A template may use a value without declaring it, and a packaged chart is not read: render to be certain.
 *
 * @param pairs `key=value`, as for `helm --set`
 */
export async function unknownValues(
  { chart, values, set }: Subject,
  pairs: readonly string[],
): Promise<string[]> {
  if (pairs.length === 0) return [];
  const trees = await Promise.all([join(chart, 'values.yaml'), ...values].map(readTree));
  const given = set.map(pathOf);
  return pairs.filter((pair) => {
    const path = pathOf(pair);
    return !trees.some((tree) => hasPath(tree, path)) && !given.some((known) => startsWith(path, known));
  });
}

/**
 * Where the chart or the values of the subject have another form than the pairs: `env is a list, and env.COLOUR=x makes it a map`. Helm
 * replaces one form by the other, and the templates then render nonsense. The last file that has a value decides.
 *
 * @param pairs `key=value`, as for `helm --set`
 */
export async function misshapenValues(
  { chart, values }: Pick<Subject, 'chart' | 'values'>,
  pairs: readonly string[],
): Promise<string[]> {
  if (pairs.length === 0) return [];
  const trees = await Promise.all([join(chart, 'values.yaml'), ...values].map(readTree));
  return pairs.flatMap((pair) => {
    const forms = trees.flatMap((tree) => formOn(tree, pathOf(pair)) ?? []);
    const last = forms.at(-1);
    return last === undefined || last.fits
      ? []
      : [`${last.says}, and the check sets ${pathOf(pair).join('.')}`];
  });
}

/** Whether the tree has room for a single value at the path; `undefined` when it says nothing about it. */
function formOn(tree: unknown, path: readonly string[]): { fits: boolean; says: string } | undefined {
  let here = tree;
  for (const [depth, key] of path.entries()) {
    const at = path.slice(0, depth).join('.');
    // An absent or empty value is a place for what the user wants.
    if (here === undefined || here === null || here === '')
      return depth === 0 ? undefined : { fits: true, says: '' };
    if (Array.isArray(here)) {
      if (!/^\d+$/.test(key)) return { fits: false, says: `the value ${at} of the chart is a list` };
      here = here[Number(key)];
      if (here === undefined) return { fits: true, says: '' };
    } else if (typeof here === 'object') {
      if (!Object.hasOwn(here, key)) return undefined;
      here = (here as Record<string, unknown>)[key];
    } else return { fits: false, says: `the value ${at} of the chart is a single one` };
  }
  const isTree = typeof here === 'object' && here !== null && Object.keys(here).length > 0;
  const form = Array.isArray(here) ? 'a list' : 'a map';
  return { fits: !isTree, says: isTree ? `the value ${path.join('.')} of the chart is ${form}` : '' };
}

/** A value that is no map or list, and the path by which `--set` changes it. */
interface DeclaredValue {
  /** `a.b[0].c`. */
  path: string;
  value: unknown;
}

/** All values of the chart's values.yaml and of the values files, each path once: the last file counts. Values of `set` are not read. */
export async function declaredValues({
  chart,
  values,
}: Pick<Subject, 'chart' | 'values'>): Promise<DeclaredValue[]> {
  const trees = await Promise.all([join(chart, 'values.yaml'), ...values].map(readTree));
  const found = new Map<string, unknown>();
  for (const { path, value } of trees.flatMap((tree) => leavesOf(tree))) found.set(path, value);
  return [...found].map(([path, value]) => ({ path, value }));
}

/** The values of a tree that are no maps or lists. */
export function leavesOf(tree: unknown, path = ''): DeclaredValue[] {
  if (Array.isArray(tree)) return tree.flatMap((value, index) => leavesOf(value, `${path}[${index}]`));
  if (typeof tree !== 'object' || tree === null) return [{ path, value: tree }];
  return Object.entries(tree).flatMap(([key, value]) => {
    const step = key.replaceAll(/[\\.,=[\]]/g, (sign) => `\\${sign}`);
    return leavesOf(value, path === '' ? step : `${path}.${step}`);
  });
}

/** `a.b[0].c=x` -> a, b, 0, c. A dot in a key is escaped as `\.`. */
function pathOf(pair: string): string[] {
  const [, key = pair] = /^((?:\\.|[^\\=])*)=/.exec(pair) ?? [];
  return [...key.matchAll(/(?:\\.|[^\\.[\]])+/g)].map(([word]) => word.replaceAll(/\\(.)/g, '$1'));
}

async function readTree(file: string): Promise<unknown> {
  try {
    return parse(await readFile(file, 'utf8'), GO_YAML) as unknown;
  } catch {
    // Helm reports what is wrong with it.
    return undefined;
  }
}

function hasPath(tree: unknown, path: readonly string[]): boolean {
  let here = tree;
  for (const [depth, key] of path.entries()) {
    if (typeof here !== 'object' || here === null) return depth > 0 && here === null;
    if (depth > 0 && Object.keys(here).length === 0) return true;
    if (!Object.hasOwn(here, key)) return false;
    here = (here as Record<string, unknown>)[key];
  }
  return path.length > 0;
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((key, index) => path[index] === key);
}
