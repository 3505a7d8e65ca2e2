import { expect, it } from 'vitest';
import type { KubeObject } from './types.ts';
import { conditionsOf } from './conditions.ts';

const object = (status?: unknown): KubeObject => ({
  apiVersion: 'example.dev/v1',
  kind: 'Thing',
  metadata: { name: 'a' },
  ...(status === undefined ? {} : { status }),
});
const ready = { type: 'Ready', status: 'True', reason: 'Done', message: 'it is done' };

it.each<[string, KubeObject | undefined, unknown[]]>([
  ['an object with conditions', object({ conditions: [{ ...ready, observedGeneration: 2 }] }), [ready]],
  ['an object without status', object(), []],
  ['a status without conditions', object({ phase: 'Active' }), []],
  ['conditions that are null', object({ conditions: null }), []],
  ['conditions of another form', object({ conditions: ['Ready'] }), []],
  ['no object', undefined, []],
])('reads %s', (_, of, expected) => {
  expect(conditionsOf(of)).toEqual(expected);
});
