import type { CommandRunner } from '../../harness/core/command.ts';
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../harness/core/deadline.ts';
import type { InfrastructureError } from '../../harness/core/errors.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { RUN_LABEL } from '../../harness/core/run-id.ts';
import type { Topology } from '../../harness/kube/cluster/cluster.ts';
import type { FakeKube } from '../testing/fake-kube.ts';
import { fakeKube, fakeNode, fakeSystemPod } from '../testing/fake-kube.ts';
import { GPU_NODE_LABELS, GPU_NODE_TAINTS, gpuGroup } from '../topology.ts';
import type { FakePrograms } from '../testing/fake-kind-programs.ts';
import { fakePrograms } from '../testing/fake-kind-programs.ts';
import { rejectNameInUse } from './cluster-name.ts';
import { SHARED_STORAGE_PATH, sharedFolderOf } from './kind-config.ts';
import type { CreateKindCluster, KindProvider } from './kind-provider.ts';
import { kindProvider } from './kind-provider.ts';

const NAME = 'kp-unit-test';
const topology: Topology = { groups: [gpuGroup([2])] };
/** With simulated GPUs in containers. */
const gpuTopology: Topology = { ...topology, runtimeClasses: ['nvidia'] };

let programs: FakePrograms;
let kube: FakeKube;
let now = 0;
// Sleeping only advances the time, so that timeouts take no real time.
const clock: Clock = {
  now: () => now,
  sleep: (ms) => {
    now += ms;
    return Promise.resolve();
  },
};

const leftByRun = { metadata: { name: 'gate', labels: { [RUN_LABEL]: 'r0' } } };

const system = (): KubeObject[] => [
  fakeNode(`${NAME}-control-plane`),
  fakeNode(`${NAME}-worker`, { labels: { ...GPU_NODE_LABELS }, spec: { taints: [...GPU_NODE_TAINTS] } }),
  fakeSystemPod('coredns'),
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } },
];

beforeEach(async () => {
  programs = await fakePrograms();
  kube = fakeKube(system());
});
afterEach(async () => {
  await rm(programs.folder, { recursive: true });
  await rm(sharedFolderOf(NAME), { recursive: true, force: true });
});

function provider(signal?: AbortSignal, digest = 'sha256:one', run = programs.run): KindProvider {
  return kindProvider({
    run,
    kindPath: programs.kindPath,
    nodeImage: { ref: 'node:v1', digest, kubernetes: 'v1.36.3' },
    engine: { cgroupVersion: 'v2', sysResource: true },
    connect: () => Promise.resolve(kube.client),
    clock,
    signal,
  });
}

const options = (more: Partial<CreateKindCluster> = {}): CreateKindCluster => ({
  name: NAME,
  topology,
  kubeconfig: join(programs.folder, 'run', 'kubeconfig'),
  evidenceDirectory: join(programs.folder, 'evidence'),
  ...more,
});
const containers = () => readdir(join(programs.folder, 'containers'));

async function failure(promise: Promise<unknown>): Promise<InfrastructureError> {
  return promise.then(
    () => expect.unreachable('the call succeeded'),
    (error: unknown) => error as InfrastructureError,
  );
}

describe('create', () => {
  it('creates a cluster with GPUs and a kubeconfig that only its owner can read', async () => {
    const progress: string[] = [];
    const cluster = await provider().create(options({ onProgress: (text) => progress.push(text) }));
    expect(cluster).toMatchObject({ provider: 'kind', context: `kind-${NAME}`, kubernetes: 'v1.36.3' });
    expect(progress).toEqual(['preparing nodes', 'starting control-plane', 'waiting for system pods']);
    expect((await stat(cluster.kubeconfig)).mode & 0o777).toBe(0o600);
    expect(await programs.calls()).toContain(
      `kind create cluster --name ${NAME} --kubeconfig ${cluster.kubeconfig} --retain --config -`,
    );
    expect((await cluster.describe()).find((node) => node.name === `${NAME}-worker`)).toMatchObject({
      gpus: 2,
    });
    expect(await cluster.assertGpuCapacity()).toEqual([]);
  });

  it('sets the labels that no kubelet may set', async () => {
    const group = { ...gpuGroup([2]), labels: { ...GPU_NODE_LABELS, 'node-role.kubernetes.io/tools': '' } };
    const cluster = await provider().create(options({ topology: { groups: [group] } }));
    const worker = (await cluster.describe()).find(({ name }) => name === `${NAME}-worker`);
    expect(worker?.labels).toMatchObject(group.labels);
  });

  it('restores lost GPU capacity', async () => {
    const cluster = await provider().create(options());
    const worker = kube.objects.find((object) => object.metadata.name === `${NAME}-worker`);
    worker!['status'] = { capacity: { 'nvidia.com/gpu': '2' }, allocatable: {} };
    expect(await cluster.assertGpuCapacity()).toEqual([`${NAME}-worker`]);
    expect(worker).toMatchObject({ status: { allocatable: { 'nvidia.com/gpu': '2' } } });
  });

  it('installs the stand-in for the NVIDIA runtime on each node, with the number of its GPUs', async () => {
    await provider().create(options({ topology: gpuTopology }));
    expect(await programs.read(`gpus-of-${NAME}-worker`)).toBe('2\n');
    expect(await programs.read(`gpus-of-${NAME}-control-plane`)).toBe('0\n');
    expect(await programs.read(`runtime-of-${NAME}-worker`)).toMatch(/^#!\/bin\/sh\n/);
  });

  it('collects evidence of a failure, names stage and cause, and removes the partly created cluster', async () => {
    await programs.put('fail');
    const error = await failure(provider().create(options()));
    expect(error).toMatchObject({ code: 'E_CLUSTER_CREATE', exitCode: 3 });
    expect(error.message).toMatch(/"starting control-plane" failed .* likely cause: the inotify limits/);
    expect(error.hint).toContain('max_user_instances');
    expect(await programs.read(`evidence/${NAME}-worker/kubelet.log`)).toContain('log of the kubelet');
    expect(await programs.read('evidence/kind-create.log')).toContain('failed to init node');
    expect(await programs.read('evidence/docker-ps.txt')).toContain(`${NAME}-control-plane`);
    expect(await containers()).toEqual([]);
    expect(existsSync(options().kubeconfig)).toBe(false);
    expect(existsSync(sharedFolderOf(NAME))).toBe(false);
  });

  it('reports the last state of system pods that do not become ready', async () => {
    kube.objects.push(fakeSystemPod('flannel-x', false));
    const error = await failure(provider().create(options()));
    expect(error.message).toContain(
      'pod kube-system/flannel-x is Running, not ready (c: CrashLoopBackOff after 3 restarts)',
    );
    expect(JSON.parse(await programs.read('evidence/pods.json'))).toHaveLength(2);
    expect(await containers()).toEqual([]);
  });

  it('waits until no pod of an earlier template is left', async () => {
    const status = { replicas: 2, updatedReplicas: 1, availableReplicas: 2 };
    const metadata = { name: 'provisioner', namespace: 'kube-system' };
    kube.objects.push({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: {}, status });
    const error = await failure(provider().create(options()));
    expect(error.message).toContain('Deployment provisioner: 1 old replica still there');
  });

  it('leaves an interrupted creation to delete()', async () => {
    await programs.put('hang');
    const control = new AbortController();
    const kind = provider(control.signal);
    const onProgress = (text: string) => {
      if (text.startsWith('starting')) control.abort();
    };
    expect(await failure(kind.create(options({ onProgress })))).toMatchObject({ code: 'E_INTERRUPTED' });
    expect(await containers()).toHaveLength(2);
    expect(await kind.delete(NAME, options().kubeconfig)).toHaveLength(2);
    expect(await containers()).toEqual([]);
    expect(existsSync(options().kubeconfig)).toBe(false);
  });

  it.each(['Upper', '-x', 'a'.repeat(50), 'a b'])('rejects the name "%s"', async (name) => {
    expect(await failure(provider().create(options({ name })))).toMatchObject({
      code: 'E_CLUSTER_NAME',
      exitCode: 2,
    });
  });

  it.each<[string, () => Promise<unknown>]>([
    ['existed before', () => provider().create(options())],
    ['was created in the meantime', () => programs.put('exists')],
  ])('rejects the name of a cluster that %s, and does not delete that cluster', async (_, arrange) => {
    await arrange();
    const kind = provider();
    expect(await failure(kind.create(options()))).toMatchObject({
      code: 'E_CLUSTER_EXISTS',
      exitCode: 2,
      hint: expect.stringMatching(/--reuse.*npm run sweep -- --run kp-unit-test`.*KINDPROOF_DESK=/) as string,
    });
    expect(await kind.delete(NAME, options().kubeconfig)).toEqual([]);
    expect(await containers()).toHaveLength(2);
  });
});

describe('reuse', () => {
  const creations = async () =>
    (await programs.calls()).filter((call) => call.startsWith('kind create')).length;

  beforeEach(async () => {
    await programs.put('kubeconfig-of-kind', 'apiVersion: v1\n');
    await provider().create(options());
  });

  it('reuses and repairs a cluster that fits', async () => {
    const worker = kube.objects.find((object) => object.metadata.name === `${NAME}-worker`);
    worker!.metadata.labels = { 'kubernetes.io/arch': 'amd64' };
    worker!['spec'] = { unschedulable: true, taints: [{ key: 'someone', effect: 'NoExecute' }] };
    kube.objects.push(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'of-the-user' } },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kp-r0', labels: { [RUN_LABEL]: 'r0' } } },
      // Its pods are gone, so it would refuse every request.
      { apiVersion: 'v1', kind: 'ValidatingWebhookConfiguration', ...leftByRun, webhooks: [] },
    );
    const progress: string[] = [];
    const cluster = await provider().create(
      options({ reuse: true, onProgress: (text) => progress.push(text) }),
    );
    expect(progress).toEqual([
      `verifying cluster ${NAME}`,
      'ValidatingWebhookConfiguration gate of run r0 removed',
      'Namespace kp-r0 of run r0 removed',
      `label nvidia.com/gpu.present=true of ${NAME}-worker restored`,
      `taints of ${NAME}-worker set to [nvidia.com/gpu=present:NoSchedule]`,
      `${NAME}-worker uncordoned`,
    ]);
    expect(kube.objects.filter((object) => object.kind.includes('Webhook'))).toEqual([]);
    expect(worker).toMatchObject({
      spec: { taints: GPU_NODE_TAINTS },
      metadata: { labels: GPU_NODE_LABELS },
    });
    const namespaces = kube.objects.filter((object) => object.kind === 'Namespace');
    expect(namespaces.map((n) => n.metadata.name)).toEqual(['kube-system', 'of-the-user']);
    expect((await stat(cluster.kubeconfig)).mode & 0o777).toBe(0o600);
  });

  it('has the storage classes of its run, whatever it was created for', async () => {
    const standard = { metadata: { name: 'standard' }, provisioner: 'rancher.io/local-path' };
    kube.objects.push({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', ...standard });
    const progress: string[] = [];
    const reusedFor = async (...storageClasses: { name: string; isShared: boolean }[]) => {
      progress.length = 0;
      const onProgress = (text: string) => progress.push(text);
      await provider().create(
        options({ reuse: true, onProgress, topology: { ...topology, storageClasses } }),
      );
      return progress.slice(1);
    };
    expect(await reusedFor({ name: 'gp3', isShared: false })).toEqual(['StorageClass gp3 created']);
    expect(await reusedFor({ name: 'gp3', isShared: false })).toEqual([]);
    expect(await reusedFor()).toEqual(['StorageClass gp3 of an earlier run removed']);
    expect(await creations()).toBe(1);
  });

  it('reuses a cluster that has more than required, and repairs all of it', async () => {
    const worker = kube.objects.find((object) => object.metadata.name === `${NAME}-worker`);
    worker!.metadata.labels = {};
    await provider().create(options({ reuse: true, topology: { groups: [] } }));
    expect(await creations()).toBe(1);
    expect(worker?.metadata.labels).toMatchObject(GPU_NODE_LABELS);
  });

  it.each<{
    title: string;
    change: () => Promise<void> | void;
    more?: Partial<CreateKindCluster>;
    digest?: string;
    reason: RegExp;
  }>([
    {
      title: 'another topology',
      change: () => {},
      more: { topology: { groups: [{ name: 'workers', count: 1 }] } },
      reason: /it has 1 control plane, 1 × gpu/,
    },
    { title: 'another node image', change: () => {}, digest: 'sha256:two', reason: /another node image/ },
    {
      title: 'a stopped node',
      change: () => programs.put(`containers/${NAME}-worker`, `${NAME}\tworker\texited`),
      reason: /kp-unit-test-worker is exited/,
    },
  ])('creates the cluster again for $title, with the reason', async ({ change, more, digest, reason }) => {
    await change();
    const progress: string[] = [];
    const kind = provider(undefined, digest);
    await kind.create(options({ reuse: true, onProgress: (text) => progress.push(text), ...more }));
    expect(progress.find((text) => text.includes('creating cluster'))).toMatch(reason);
    expect(await creations()).toBe(2);
  });

  it('creates a cluster again whose runtime handler gives containers no GPUs', async () => {
    await provider().create(options({ reuse: true, topology: gpuTopology }));
    await programs.put('old-runtime');
    const progress: string[] = [];
    const onProgress = (text: string) => progress.push(text);
    await provider().create(options({ reuse: true, topology: gpuTopology, onProgress }));
    expect(progress.find((text) => text.includes('creating cluster'))).toContain('gives containers no GPUs');
  });

  it('neither replaces nor deletes a cluster that kindproof did not create', async () => {
    await programs.put('foreign');
    const kind = provider(undefined, 'sha256:two');
    const error = await failure(kind.create(options({ reuse: true })));
    expect(error).toMatchObject({ code: 'E_CLUSTER_EXISTS', exitCode: 2 });
    expect(await kind.delete(NAME, options().kubeconfig)).toEqual([]);
    expect(await containers()).toHaveLength(2);
  });

  it('does not delete a cluster of which the engine said nothing', async () => {
    let calls = 0;
    const silentOnce: CommandRunner = {
      run: (...args) => (++calls === 1 ? Promise.reject(new Error('no answer')) : programs.run.run(...args)),
    };
    const kind = provider(undefined, undefined, silentOnce);
    expect(await failure(kind.create(options()))).toMatchObject({ message: 'no answer' });
    expect(await kind.delete(NAME, options().kubeconfig)).toEqual([]);
    expect(await containers()).toHaveLength(2);
  });

  it('does not delete the cluster after an interrupt of its verification', async () => {
    const control = new AbortController();
    const kind = provider(control.signal);
    const onProgress = () => control.abort();
    expect(await failure(kind.create(options({ reuse: true, onProgress })))).toMatchObject({
      code: 'E_INTERRUPTED',
    });
    expect(await kind.delete(NAME, options().kubeconfig)).toEqual([]);
    expect(existsSync(options().kubeconfig)).toBe(false);
    expect(await containers()).toHaveLength(2);
  });
});

describe('delete', () => {
  it('accepts a cluster that does not exist', async () => {
    expect(await provider().delete('kp-unknown', options().kubeconfig)).toEqual([]);
  });

  it('leaves other clusters alone', async () => {
    await programs.put('containers/other-worker', 'other\tworker\trunning');
    await provider().create(options());
    await provider().delete(NAME, options().kubeconfig);
    expect(await containers()).toEqual(['other-worker']);
  });
});

describe('rejectNameInUse', () => {
  it('rejects the name of an existing cluster only', async () => {
    await provider().create(options());
    expect(await failure(rejectNameInUse(programs.run, NAME))).toMatchObject({ code: 'E_CLUSTER_EXISTS' });
    await rejectNameInUse(programs.run, `${NAME}-2`);
    expect(await programs.calls()).not.toContain('kind get clusters');
  });
});

describe('images', () => {
  const load = async (...refs: string[]) => {
    const cluster = await provider().create(options());
    await programs.put('local/app:v1', 'sha256:a');
    await programs.put('local/old:v1', 'sha256:b2');
    // The node has the same image as app, and an older build of old.
    await programs.put(
      `node-images/${NAME}-worker`,
      'docker.io/library/app:v1 t m-1\nsha256:a t m-1\ndocker.io/library/old:v1 t m-2\nsha256:b1 t m-2\n',
    );
    await cluster.loadImages(refs);
    return { cluster, saves: (await programs.calls()).filter((call) => call.startsWith('docker save')) };
  };

  it('loads no image that the nodes have', async () => {
    expect((await load('app:v1')).saves).toEqual([]);
  });

  it('loads missing images, and images rebuilt under the same tag, in one archive', async () => {
    await programs.put('local/new:v1', 'sha256:n');
    const { cluster, saves } = await load('app:v1', 'old:v1', 'new:v1');
    expect(saves).toHaveLength(1);
    expect(saves[0]).toMatch(/ old:v1 new:v1$/);
    const images = await cluster.imagesOnNodes();
    expect([...images.keys()]).toEqual([`${NAME}-worker`]);
    expect(images.get(`${NAME}-worker`)).toContain('docker.io/library/new:v1');
    expect(await readdir(sharedFolderOf(NAME))).toEqual([]);
  });

  it('knows the manifest of an image on the nodes, and the id that pods show', async () => {
    const { cluster } = await load('app:v1');
    const identities = await cluster.imageIdentities?.(['app:v1', 'gone:v1']);
    expect([...(identities ?? [])]).toEqual([['app:v1', { manifests: ['m-1'], ids: ['m-1', 'sha256:a'] }]]);
  });

  it('names images that neither engine nor nodes have', async () => {
    expect(await failure(load('app:v1', 'gone:v1'))).toMatchObject({
      code: 'E_IMAGE_NOT_LOCAL',
      message: 'neither the local engine nor every node has gone:v1',
    });
  });
});

describe('the shared folder', () => {
  let elsewhere: string;
  beforeEach(async () => {
    elsewhere = join(programs.folder, 'elsewhere');
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, 'precious'), '');
    await symlink(elsewhere, sharedFolderOf(NAME));
  });

  it('is refused when its name is taken, before anything is created', async () => {
    expect(await failure(provider().create(options()))).toMatchObject({ code: 'E_FOREIGN_FOLDER' });
    await provider().delete(NAME, options().kubeconfig);
    expect((await programs.calls()).filter((call) => call.startsWith('kind '))).toEqual([]);
    expect(await readdir(elsewhere)).toEqual(['precious']);
  });

  it('is neither emptied nor removed when it is a link', async () => {
    await programs.put(`containers/${NAME}-worker`, `${NAME}\tworker\trunning`);
    const mount = { Source: sharedFolderOf(NAME), Destination: SHARED_STORAGE_PATH };
    await programs.put('mounts', JSON.stringify([mount]));
    await provider().delete(NAME, options().kubeconfig);
    expect(await containers()).toEqual([]);
    expect((await programs.calls()).filter((call) => call.includes('-delete'))).toEqual([]);
    expect((await lstat(sharedFolderOf(NAME))).isSymbolicLink()).toBe(true);
  });

  it('is emptied from inside a node when it is our own', async () => {
    await rm(sharedFolderOf(NAME));
    await mkdir(sharedFolderOf(NAME));
    await programs.put(`containers/${NAME}-worker`, `${NAME}\tworker\trunning`);
    const mount = { Source: sharedFolderOf(NAME), Destination: SHARED_STORAGE_PATH };
    await programs.put('mounts', JSON.stringify([mount]));
    await provider().delete(NAME, options().kubeconfig);
    expect((await programs.calls()).filter((call) => call.includes('-delete'))).toHaveLength(1);
    expect(existsSync(sharedFolderOf(NAME))).toBe(false);
  });
});

it('mounts the shared folder and reads the image for its configuration', async () => {
  await provider().create(options());
  expect(await readFile(join(programs.folder, 'config'), 'utf8')).toContain(sharedFolderOf(NAME));
});
