import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { candidatesOf, changed, contentsOf, effectOf } from './changing-value.ts';

const object = (kind: string, fields: object): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: kind.toLowerCase() },
  ...fields,
});
const config = (text: string): KubeObject => object('ConfigMap', { data: { text } });
const workload = (annotation: string, image = 'i'): KubeObject =>
  object('Deployment', {
    spec: {
      template: {
        metadata: { annotations: { 'checksum/config': annotation } },
        spec: { containers: [{ name: 'a', image }] },
      },
    },
  });

describe('candidatesOf', () => {
  it('finds texts that the configuration contains, free text first', () => {
    const values = {
      image: { tag: '1.2.3' },
      level: 'info',
      web: { greeting: 'good morning', port: 80, names: ['info'] },
      'a.b': 'info',
      on: 'on',
    };
    expect(candidatesOf(values, ['level=info on good morning'])).toEqual([
      { path: 'web.greeting', value: 'good morning' },
      { path: 'level', value: 'info' },
      { path: 'a\\.b', value: 'info' },
    ]);
  });

  it('reads Secrets decoded', () => {
    expect(contentsOf([object('Secret', { data: { a: 'aGVsbG8=' }, stringData: { b: 'plain' } })])).toEqual([
      'hello',
      'plain',
    ]);
  });
});

it('sets another text, in the syntax of helm', () => {
  expect(changed({ path: 'a', value: 'x,y\n' })).toBe('a=x\\,y kindproof');
});

describe('effectOf', () => {
  it.each([
    ['configuration and a checksum', [config('b'), workload('2')], [1, 1]],
    ['configuration alone', [config('b'), workload('1')], [1, 0]],
    ['nothing', [config('a'), workload('1')], undefined],
    ['more than configuration', [config('b'), workload('1', 'other')], undefined],
    ['another object', [config('b'), object('Service', {})], undefined],
  ])('%s', (_, after, expected) => {
    const effect = effectOf([config('a'), workload('1')], after);
    expect(effect && [effect.configuration.length, effect.templates.length]).toEqual(expected);
  });
});
