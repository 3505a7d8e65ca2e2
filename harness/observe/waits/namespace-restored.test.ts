import { describe, expect, it } from 'vitest';
import { changingCluster } from '../../testing/changing-cluster.ts';
import { namespaceRestored } from './namespace-restored.ts';

const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const before = ['ConfigMap own'];

describe('namespaceRestored', () => {
  it('waits until nothing is left that was not there before', async () => {
    const { kube, clock } = changingCluster([map('own'), map('web')], [map('own')]);
    expect(await namespaceRestored(kube, 'demo', before, { clock })).toEqual([]);
    expect(clock.now()).toBe(1000);
  });

  it('returns what may stay, asked anew at every look', async () => {
    const { kube, clock } = changingCluster([map('kept')]);
    const answers = [false, true];
    const mayStay = (): Promise<boolean> => Promise.resolve(answers.shift() ?? false);
    expect(await namespaceRestored(kube, 'demo', before, { mayStay, clock })).toEqual(['ConfigMap kept']);
  });

  it('names what is left', async () => {
    const { kube, clock } = changingCluster([map('own'), map('web'), map('kept')]);
    const mayStay = (entry: string): boolean => entry.endsWith('kept');
    await expect(namespaceRestored(kube, 'demo', before, { mayStay, clock })).rejects.toThrow(
      'for namespace demo to be as it was before the install; last seen: left: ConfigMap web',
    );
  });
});
