import { describe, expect, it } from 'vitest';
import { makePod } from '../../testing/sample-world.ts';
import { DoesNotFit, InfrastructureError } from '../../core/errors.ts';
import { ApiError } from '../../kube/api/errors.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import type { KubeObject, Pod } from '../../kube/api/types.ts';
import { startBarePod, type BarePodSpec } from './bare-pod.ts';

const WORKER: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'worker' } };
const CONTROL_PLANE: KubeObject = {
  ...WORKER,
  metadata: { name: 'control-plane', labels: { 'node-role.kubernetes.io/control-plane': '' } },
};

/** The pod that is created for it, on a cluster where every pod is ready. */
async function created(
  wanted: Partial<BarePodSpec> = {},
  nodes: KubeObject[] = [CONTROL_PLANE, WORKER],
): Promise<Pod> {
  const objects: KubeObject[] = [];
  const kube: Partial<KubeClient> = {
    list: (() => Promise.resolve(nodes)) as unknown as KubeClient['list'],
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

/** On a cluster that answers like this to the creation, or whose pod ends like this. */
function failing(command: readonly string[], cluster: { refusal?: Error; message?: string }): Promise<Pod> {
  const pod = makePod({ phase: 'Failed' });
  const message = cluster.message ?? '';
  const containerStatuses = [
    { ...statusOf(command[0] ?? ''), state: { terminated: { exitCode: 128, message } } },
  ];
  const kube: Partial<KubeClient> = {
    create: (object) => (cluster.refusal ? Promise.reject(cluster.refusal) : Promise.resolve(object)),
    get: (() =>
      Promise.resolve({
        ...pod,
        status: { ...pod.status, containerStatuses },
      })) as unknown as KubeClient['get'],
    list: () => Promise.resolve([]),
  };
  return startBarePod(kube as KubeClient, { name: 'client', namespace: 'demo', image: 'app:1', command });
}
const statusOf = (name: string) => ({ name, ready: false, restartCount: 0, image: 'app:1', imageID: '' });
const notFound = (program: string) =>
  `failed to create containerd task: exec: "${program}": executable file not found in $PATH: unknown`;

describe('a pod of a check that cannot start', () => {
  it('says nothing about the subject', async () => {
    await expect(failing(['serve'], { message: 'out of disk' })).rejects.toMatchObject({
      code: 'E_OWN_POD',
      message: expect.stringMatching(/^pod client of the check did not start: waited/) as string,
    });
    await expect(failing(['serve'], {})).rejects.toBeInstanceOf(InfrastructureError);
    await expect(failing(['serve'], { message: notFound('serve') })).rejects.toBeInstanceOf(
      InfrastructureError,
    );
  });

  it.each([403, 422])('says nothing about the subject when the cluster refuses it: %i', async (status) => {
    const refusal = new ApiError('cannot create Pod client', status, 'Forbidden', 'no');
    await expect(failing(['serve'], { refusal })).rejects.toMatchObject({ code: 'E_OWN_POD' });
  });

  it('does not fit the subject whose image lacks its program', async () => {
    await expect(failing(['python3', '-c', ''], { message: notFound('python3') })).rejects.toThrow(
      new DoesNotFit('the image of client, app:1, has no program `python3`, which the check runs'),
    );
  });
});

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

  it('keeps a pod that tolerates everything away from the control plane, which has no images, unless it is the only node', async () => {
    const tolerations = [{ operator: 'Exists', effect: 'NoSchedule' }];
    const { spec } = await created({ tolerations });
    expect(JSON.stringify(spec.affinity)).toContain(
      '{"key":"node-role.kubernetes.io/control-plane","operator":"DoesNotExist"}',
    );
    expect((await created({ tolerations }, [CONTROL_PLANE])).spec.affinity).toBeUndefined();
  });
});
