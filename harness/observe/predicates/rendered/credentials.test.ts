import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../kube/api/types.ts';
import { object, sampleContainer, sampleDeployment } from '../../../testing/sample-objects.ts';
import { credentialsAreInSecrets, secretKeysExist } from './credentials.ts';

type Env = NonNullable<ReturnType<typeof sampleContainer>['env']>;

const secret = (keys: Record<string, string>): KubeObject =>
  object('v1', 'Secret', 'credentials', { stringData: keys });
const from = (key: string, optional = false) => ({
  secretKeyRef: { name: 'credentials', key, optional },
});
const workload = (env: Env): KubeObject => sampleDeployment({ containers: [sampleContainer({ env })] });
const URL = 'postgresql://app:hunter22@db:5432/app';

describe('credentialsAreInSecrets', () => {
  it.each<[string, KubeObject[], string]>([
    [
      'from a Secret',
      [workload([{ name: 'URL', valueFrom: from('URL') }]), secret({ URL })],
      'nothing is wrong',
    ],
    ['in plain text', [workload([{ name: 'URL', value: 'x' }])], 'is in plain text'],
    [
      'from a ConfigMap',
      [workload([{ name: 'URL', valueFrom: { configMapKeyRef: { name: 'c', key: 'URL' } } }])],
      'is not from a Secret',
    ],
    [
      'also in a ConfigMap',
      [
        workload([{ name: 'URL', valueFrom: from('URL') }]),
        object('v1', 'ConfigMap', 'c', { data: { other: URL } }),
      ],
      'ConfigMap c has a URL with a password',
    ],
    [
      'composed of variables',
      [
        workload([
          { name: 'URL', valueFrom: from('URL') },
          { name: 'B', value: 'postgresql://app:$(PASSWORD)@db/app' },
        ]),
      ],
      'nothing is wrong',
    ],
    ['in no container', [workload([])], 'selected nothing'],
  ])('%s', (_title, objects, actual) => {
    const result = credentialsAreInSecrets(objects, ['URL']);
    expect(result.actual).toContain(actual);
    expect(result.ok).toBe(actual === 'nothing is wrong');
    expect(JSON.stringify(result)).not.toContain('hunter22');
  });
});

describe('secretKeysExist', () => {
  const both: Env = [
    { name: 'A', valueFrom: from('URL') },
    { name: 'B', valueFrom: from('KEY', true) },
  ];
  it.each<[string, KubeObject[], string]>([
    ['both', [workload(both), secret({ URL, KEY: '' })], 'nothing is wrong'],
    ['without the optional one', [workload(both), secret({ URL })], 'nothing is wrong'],
    [
      'without the other',
      [workload(both), secret({ KEY: 'x' })],
      'takes URL, which the Secret does not have',
    ],
    ['without the Secret', [workload(both)], 'takes URL, which the Secret does not have'],
    ['an unused key', [workload(both.slice(0, 1)), secret({ URL })], 'no container takes KEY'],
    [
      'under another name',
      [workload([...both, { name: 'C', valueFrom: from('URI') }]), secret({ URL, URI: URL })],
      'takes URI, which is not documented',
    ],
  ])('%s', (_title, objects, complaint) => {
    const result = secretKeysExist(objects, 'credentials', ['URL', 'KEY']);
    expect(result.actual).toContain(complaint);
    expect(result.ok).toBe(complaint === 'nothing is wrong');
  });
});
