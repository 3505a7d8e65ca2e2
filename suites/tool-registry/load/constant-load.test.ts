import { describe, expect, it } from 'vitest';
import { registryObjects } from '../../../fixtures/testing/registry-objects.ts';
import { makePod } from '../../../harness/testing/sample-world.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { KubeObject, Pod, Service } from '../../../harness/kube/api/types.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { startConstantLoad, type ConstantLoad } from './constant-load.ts';

const line = (sent: number, more: object = {}): string =>
  JSON.stringify({ sent, failed: 0, slowestMs: 9, longestGapMs: 60, failures: [], done: false, ...more });

/** A pod whose log ends with the next of these lines at each read; the last one stays. */
async function started(
  lines: string[],
): Promise<{ load: ConstantLoad; created: KubeObject[]; signals: number }> {
  const ready = makePod({ conditions: [{ type: 'Ready', status: 'True' }] });
  const seen = { created: [] as KubeObject[], signals: 0 };
  const kube: Partial<KubeClient> = {
    create: (object) => {
      seen.created.push(object);
      return Promise.resolve(object);
    },
    get: (() => Promise.resolve(ready)) as KubeClient['get'],
    logs: () => Promise.resolve((lines.length > 1 ? lines.shift() : lines[0]) ?? ''),
    exec: () => {
      seen.signals += 1;
      lines.splice(0, lines.length, line(90, { failed: 1, done: true }));
      return Promise.resolve({ exitCode: 0, stdout: '', stderr: '' });
    },
  };
  const service = { spec: { clusterIP: '10.96.0.7', ports: [{ port: 8000 }] } } as Service;
  const pod = { spec: { containers: [{ name: 'api', image: 'registry/app:1' }] } } as Pod;
  const release = {
    kube,
    ...registryObjects(),
    deployment: () => undefined,
    pod: () => Promise.resolve(pod),
  } as unknown as Release;
  const load = await startConstantLoad(release, service, {
    ratePerSecond: 20,
    limitSeconds: 30,
    requests: [
      { method: 'GET', path: '/a' },
      { method: 'POST', path: '/b', body: { q: 1 } },
    ],
  });
  return Object.assign(seen, { load });
}

describe('startConstantLoad', () => {
  it("calls the Service's address from a pod with the application's image that no Service selects", async () => {
    const { created } = await started(['']);
    const [pod] = created as Pod[];
    expect(pod?.metadata.labels).toBeUndefined();
    const { image, command } = pod?.spec.containers[0] ?? {};
    expect(image).toBe('registry/app:1');
    expect(command?.slice(3)).toEqual([
      ...['10.96.0.7', '8000', '20', '30', '[["GET","/a",null],["POST","/b",{"q":1}]]'],
    ]);
  });

  it('counts from the present number of requests', async () => {
    const { load } = await started([line(40), line(40), line(81)]);
    await load.goOn(41);
    await expect(load.goOn(0)).resolves.toBeUndefined();
  });

  it('does not wait for a load that has reached its time limit', async () => {
    const { load } = await started([line(40, { done: true })]);
    await expect(load.goOn(1)).rejects.toThrow(/the load has reached its time limit/);
  });

  it('ends the load and returns its report', async () => {
    const { load } = await started([line(40)]);
    expect(await load.stop()).toMatchObject({ sent: 90, failed: 1, longestGapMs: 60 });
  });

  it('reports the output of a pod that cannot run', async () => {
    const { load } = await started(['python3: no such file']);
    await expect(load.goOn(1)).rejects.toThrow('the load cannot be applied: python3: no such file');
  });
});
