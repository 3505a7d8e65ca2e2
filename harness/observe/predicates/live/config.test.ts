import { describe, expect, it } from 'vitest';
import type { ConfigMap } from '../../../kube/api/types.ts';
import { configMapEquals } from './config.ts';

describe('configMapEquals', () => {
  const configMap: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c' },
    data: { 'a.json': '{\n "x": 1\n}' },
    binaryData: { bin: 'AAE=' },
  };
  const mounted = (files: Record<string, string | Uint8Array>) => [{ pod: 'p', files }];
  it.each([
    ['equal', mounted({ 'a.json': '{\n "x": 1\n}', bin: new Uint8Array([0, 1]) }), {}, true],
    ['different bytes', mounted({ 'a.json': '{\n "x": 2\n}' }), {}, false],
    ['a file that is not a key', mounted({ other: '' }), {}, false],
    ['a key without its file', mounted({}), { keys: ['a.json'] }, false],
    ['no replicas', [], { keys: ['a.json'] }, false],
  ])('%s', (_, replicasFiles, options, ok) => {
    expect(configMapEquals(configMap, replicasFiles, options).ok).toBe(ok);
  });
  it('shows the first line that differs', () => {
    expect(configMapEquals(configMap, mounted({ 'a.json': '{\n "x": 2\n}' })).details).toEqual([
      'p: a.json differs from line 2: expected " \\"x\\": 1", found " \\"x\\": 2" (11 and 11 bytes)',
    ]);
  });
});
