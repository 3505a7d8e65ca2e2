import { expect, it } from 'vitest';
import { leavesOf } from '../../harness/kube/helm/unknown-values.ts';
import { pathsHolding, serversOf } from './servers-value.ts';

const demo = { transport: 'stdio', command: 'node', args: ['demo.mjs'] };

it.each([
  ['under any name', { hub: { tracks: { demo, docs: { transport: 'http' } }, copies: 3 } }, ['hub.tracks']],
  ['also beside a value that is left out of them', { hub: { tracks: { demo: { ...demo, note: 'x' } } } }, []],
  ['not where one of them differs', { tracks: { demo: { ...demo, command: 'sh' } } }, []],
  [
    'twice',
    { a: { demo, docs: { transport: 'http' } }, b: { demo, docs: { transport: 'http' } } },
    ['a', 'b'],
  ],
])('finds the tool servers among the values: %s', (_, values, paths) => {
  expect(pathsHolding(leavesOf(values), { demo, docs: { transport: 'http' } })).toEqual(paths);
});

it('finds nothing when there are no tool servers', () => {
  expect(pathsHolding(leavesOf({ a: { b: 1 } }), {})).toEqual([]);
});

it('reads the tool servers of a configuration, which need not have only known keys', () => {
  expect(Object.keys(serversOf(JSON.stringify({ version: 1, servers: { demo } }), 'the key'))).toEqual([
    'demo',
  ]);
  expect(() => serversOf('{"mcpServers":{}}', 'the key')).toThrow(/the key/);
});
