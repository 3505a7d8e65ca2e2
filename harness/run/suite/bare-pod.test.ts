import { describe, expect, it } from 'vitest';
import { makePod } from '../../testing/sample-world.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { KubeObject, Pod } from '../../kube/api/types.ts';
import { startBarePod, type BarePodSpec } from './bare-pod.ts';

/** The pod that is created for it, on a cluster where every pod is ready. */
async function created(wanted: Partial<BarePodSpec> = {}): Promise<Pod> {
  const objects: KubeObject[] = [];
  const kube: Partial<KubeClient> = {
    create: (object) => {
      objects.push(object);
      return Promise.resolve(object);
    },
    get: (() =>
      Promise.resolve(
        makePod({ conditions: [{ type: 'Ready', status: 'True' }] }),
      )) as unknown as KubeClient['get'],
  };
  await startBarePod(kube as KubeClient, { name: 'client', namespace: 'demo', image: 'app:1', ...wanted });
  const [pod] = objects as Pod[];
  if (!pod) throw new Error('nothing was created');
  return pod;
}

describe('startBarePod', () => {
  it('creates a pod without labels and without a grace period', async () => {
    const { metadata, spec } = await created();
    expect(metadata).toEqual({ name: 'client', namespace: 'demo' });
    expect(spec).toMatchObject({ restartPolicy: 'Never', terminationGracePeriodSeconds: 0 });
    expect(spec.containers).toHaveLength(1);
    expect(spec.containers[0]).toMatchObject({ name: 'client', image: 'app:1', command: ['sleep', '3600'] });
    expect(spec.containers[0]?.readinessProbe).toBeUndefined();
  });

  it('waits until the port accepts connections', async () => {
    const { spec } = await created({ command: ['serve'], port: 8080 });
    expect(spec.containers[0]).toMatchObject({
      command: ['serve'],
      readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
    });
  });

  it('binds the pod to a node by name, with tolerations and limits', async () => {
    const tolerations = [{ operator: 'Exists' }];
    const { spec } = await created({ node: 'gpu-1', tolerations, limits: { 'example.com/gpu': '2' } });
    expect(JSON.stringify(spec.affinity)).toContain(
      '{"key":"metadata.name","operator":"In","values":["gpu-1"]}',
    );
    expect(spec.tolerations).toEqual(tolerations);
    expect(spec.containers[0]?.resources?.limits).toEqual({
      cpu: '500m',
      memory: '128Mi',
      'example.com/gpu': '2',
    });
  });
});
