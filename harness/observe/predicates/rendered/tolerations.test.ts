import { describe, expect, it } from 'vitest';
import type { PodSpec } from '../../../kube/api/types.ts';
import { toleratesOnly } from './tolerations.ts';

const taint = { key: 'example.com/gpu', effect: 'NoSchedule' };
const daemonSet = (tolerations?: PodSpec['tolerations']) => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent' },
  spec: { template: { spec: { containers: [], ...(tolerations && { tolerations }) } } },
});

describe('toleratesOnly', () => {
  it.each<[string, PodSpec['tolerations'], string | undefined]>([
    ['only the taint', [{ ...taint, operator: 'Exists' }], undefined],
    ['nothing', undefined, 'example.com/gpu:NoSchedule is not tolerated'],
    ['one value', [{ ...taint, value: 'present' }], 'with the value "present" only'],
    ['every effect', [{ key: taint.key, operator: 'Exists' }], 'every effect, NoExecute too'],
    ['everything', [{ operator: 'Exists' }], 'every taint is tolerated, whatever its key'],
    [
      'another key as well',
      [
        { ...taint, operator: 'Exists' },
        { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists', effect: 'NoSchedule' },
      ],
      'node-role.kubernetes.io/control-plane:NoSchedule is tolerated as well',
    ],
    [
      'another effect as well',
      [
        { ...taint, operator: 'Exists' },
        { key: taint.key, operator: 'Exists', effect: 'NoExecute' },
      ],
      'example.com/gpu:NoExecute is tolerated as well',
    ],
    [
      'another effect only',
      [{ key: taint.key, operator: 'Exists', effect: 'NoExecute' }],
      'is not tolerated',
    ],
  ])('%s', (_, tolerations, complaint) => {
    const { ok, actual } = toleratesOnly(daemonSet(tolerations), taint);
    expect(ok).toBe(complaint === undefined);
    expect(actual).toContain(complaint ?? 'nothing is wrong');
  });

  it('does not hold for an object without pods', () => {
    expect(toleratesOnly({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' } }, taint).ok).toBe(
      false,
    );
  });
});
