/** Compares what was asked for with what the cluster has: every field that a manifest sets has the same value in the live object. */
import { parseQuantity } from '../api/quantity.ts';
import type { KubeObject } from '../api/types.ts';

export interface Difference {
  /** JSON Pointer, with list members by name where they have one: `/spec/template/spec/containers/toolman/image`. */
  path: string;
  expected: unknown;
  /** `undefined` when the live object does not have the field. */
  actual: unknown;
}

/** Fields below these keys hold quantities, which the API server writes in its own form. */
const QUANTITY_MAPS = new Set([
  'requests',
  'limits',
  'capacity',
  'hard',
  'min',
  'max',
  'default',
  'defaultRequest',
  'overhead',
]);
const QUANTITY_FIELDS = new Set(['sizeLimit', 'divisor', 'averageValue']);

/** What identifies a member of a list (merge keys of the API, kubernetes types.go), in order of preference. */
const LIST_KEYS = ['name', 'mountPath', 'devicePath', 'containerPort', 'port', 'key', 'topologyKey'] as const;

/**
 * Where the live object differs from the desired one. Fields that only the live object has (defaults, status, injected
 * volumes) do not count, nor does the form of a quantity, nor a zero value that the API leaves out.
 *
 * @returns each difference at its deepest path; empty when the object is as it was asked for
 */
export function differences(desired: KubeObject, live: KubeObject): Difference[] {
  const found: Difference[] = [];
  const { metadata, ...fields } = desired;
  delete fields['status'];
  compare(metadata.labels, live.metadata.labels, '/metadata/labels', found);
  compare(metadata.annotations, live.metadata.annotations, '/metadata/annotations', found);
  for (const [key, value] of Object.entries(withData(fields))) compare(value, live[key], `/${key}`, found);
  return found;
}

/** `stringData` is write-only: the server keeps it as `data`. */
function withData(fields: Record<string, unknown>): Record<string, unknown> {
  const { stringData, ...rest } = fields;
  if (typeof stringData !== 'object' || stringData === null) return rest;
  const encoded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  return {
    ...rest,
    data: { ...(rest['data'] as object | undefined), ...(Object.fromEntries(encoded) as object) },
  };
}

function compare(expected: unknown, actual: unknown, path: string, found: Difference[]): void {
  if (expected === undefined || expected === null) return;
  if (isZero(expected) && isZero(actual)) return;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    compareLists(expected, actual, path, found);
    return;
  }
  if (isMap(expected) && isMap(actual)) {
    for (const [key, value] of Object.entries(expected))
      compare(value, actual[key], `${path}/${escape(key)}`, found);
    return;
  }
  if (expected === actual || sameQuantity(expected, actual, path)) return;
  found.push({ path, expected, actual });
}

function compareLists(expected: unknown[], actual: unknown[], path: string, found: Difference[]): void {
  const key = LIST_KEYS.find((candidate) => identifies(candidate, expected));
  if (key !== undefined) {
    for (const member of expected as Record<string, unknown>[]) {
      const twin = actual.find((candidate) => isMap(candidate) && candidate[key] === member[key]);
      compare(member, twin, `${path}/${escape(String(member[key]))}`, found);
    }
    return;
  }
  // Without a key the list is one value: its length and order count.
  if (expected.length !== actual.length) {
    found.push({ path, expected, actual });
    return;
  }
  for (const [index, member] of expected.entries()) compare(member, actual[index], `${path}/${index}`, found);
}

/** Whether every member has the key, with a value of its own. */
function identifies(key: string, members: unknown[]): boolean {
  const values = members.map((member) => (isMap(member) ? member[key] : undefined));
  return values.length > 0 && !values.includes(undefined) && new Set(values).size === values.length;
}

function sameQuantity(expected: unknown, actual: unknown, path: string): boolean {
  const [parent, key] = path.split('/').slice(-2);
  if (!QUANTITY_MAPS.has(parent ?? '') && !QUANTITY_FIELDS.has(key ?? '')) return false;
  if (!isScalar(expected) || !isScalar(actual)) return false;
  try {
    return parseQuantity(expected) === parseQuantity(actual);
  } catch {
    return false;
  }
}

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The API leaves out what is false, zero or empty. */
function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return true;
  return typeof value === 'object' && Object.values(value).every(isZero);
}

function escape(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
