/** A platform that manages servers by its own commands: what it does on the cluster, what it reports, and what it leaves. */
import { join } from 'node:path';
import { CheckFailure, DoesNotFit } from '../../../harness/core/errors.ts';
import { clusterInventory, inventory } from '../../../harness/kube/api/inventory.ts';
import { deleteNamespace } from '../../../harness/kube/api/namespace-end.ts';
import { managersOf } from '../../../harness/kube/api/ownership.ts';
import { parseQuantity } from '../../../harness/kube/api/quantity.ts';
import { nameOf } from '../../../harness/kube/manifests/objects.ts';
import { resourcesAre } from '../../../harness/observe/predicates/rendered/resources.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { endpointsAre } from '../../../harness/observe/waits/endpoints.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { namespaceRestored } from '../../../harness/observe/waits/namespace-restored.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { CheckContext } from '../../../harness/run/suite/check.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { startMcpClient } from '../../mcp-client/mcp-client.ts';
import { requirement } from '../kit.ts';
import {
  atAddress,
  kubeconfigIn,
  privateFolder,
  readKubeconfig,
  serviceAccountToken,
  withToken,
} from '../platform/access.ts';
import { failureOf } from '../platform/failure-of.ts';
import { platformOf, platformUnderTest } from '../platform/platform-of.ts';
import { allowNone } from '../platform/quota.ts';
import { oneOf, smallEntry } from '../platform/registry-entry.ts';
import { environmentOf, handleOf, portOf, serverOf, serverPods, serviceOf, urlOf } from '../server.ts';

const OWN = { release: 'none', disruptive: true } as const;

const OF_NOBODY = { repository: 'kindproof/of-nobody', tag: '1.0.0' };

/** Of the deletion of what a failed deployment has created: pods may use their grace period. */
const UNDONE_MS = 60_000;

const MANAGED_BY = 'app.kubernetes.io/managed-by';

requirement(
  'M-01',
  'is created through the API by one actor, with ready pods',
  OWN,
  async ({ lab, subject, observe }) => {
    const platform = await platformOf({ lab, subject });
    await platform.deploy('managed', oneOf(await lab.namespace()));
    const release = platform.release('managed');
    await expect(handleOf(release)).toHaveAvailableReplicas(1);
    const managers = managersOf(await handleOf(release).read()).filter(
      (one) => one !== 'kube-controller-manager',
    );
    expect(managers, `who manages ${nameOf(serverOf(release).model.object)}`).toHaveLength(1);
    observe(`managed by ${managers.join(', ')}`);
  },
);

requirement(
  ['M-25', 'M-66'],
  'is reported as deployed when all its pods are ready; otherwise the reason is said, and nothing of it is left',
  { ...OWN, timeoutMs: 420_000, typicalMs: 120_000 },
  async ({ lab, subject, kube, observe }) => {
    const platform = await platformOf({ lab, subject });
    const namespace = await lab.namespace();
    await platform.deploy('ready', smallEntry(namespace));
    const { status } = await handleOf(platform.release('ready')).read();
    expect(status?.readyReplicas, 'ready pods when the deployment is reported as done').toBe(2);

    const before = await inventory(kube, namespace);
    const never = await failureOf(
      platform.deploy('never', oneOf(namespace), { image: OF_NOBODY, timeoutSeconds: 45 }),
      'the deployment of an image that exists nowhere',
    );
    // Of helm the failure is known, and the reason is left to whoever looks at the pods.
    const reason = lab.platform ? /image|pull/i : /0 of 1 replica/;
    expect(never, 'why the server does not become ready').toMatch(reason);
    await namespaceRestored(kube, namespace, before, { timeoutMs: UNDONE_MS });

    // The Service comes last and is refused. Everything before it has been created by then.
    const other = await lab.namespace();
    await allowNone(kube, other, 'services');
    const empty = await inventory(kube, other);
    const refused = await failureOf(
      platform.deploy('half-made', oneOf(other), { timeoutSeconds: 45 }),
      'a deployment without its Service',
    );
    expect(refused, 'why the server cannot be deployed').toMatch(/quota|forbidden|service/i);
    await namespaceRestored(kube, other, empty, { timeoutMs: UNDONE_MS });
    observe(never);
    observe(refused);
  },
);

requirement(
  'M-27',
  'gets other resources by new pods, with the limits in their cgroups',
  OWN,
  async ({ lab, subject, observe }) => {
    const platform = await platformOf({ lab, subject });
    await platform.deploy('resized', oneOf(await lab.namespace()));
    const release = platform.release('resized');
    const old = (await staying(release)).map(({ metadata }) => metadata.uid);
    const resources = {
      requests: { cpu: '30m', memory: '56Mi' },
      limits: { cpu: '400m', memory: '160Mi' },
    };
    await platform.update('resized', { resources });
    const { container } = serverOf(release);
    const live = { ...(await handleOf(release).read()), kind: handleOf(release).kind };
    await expect(resourcesAre(live, container.name, resources)).toHold();
    const pods = await staying(release);
    for (const pod of pods) {
      expect(old, `uids of the pods before the change; ${pod.metadata.name}`).not.toContain(pod.metadata.uid);
      const script = `cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes`;
      const limit = await release.output(pod, ['sh', '-c', script], container.name);
      expect(Number(limit.trim()), `memory limit of the cgroup of ${pod.metadata.name}, in bytes`).toBe(
        parseQuantity(resources.limits.memory),
      );
    }
    observe(`${pods.length} new pods with ${resources.limits.memory}`);
  },
);

requirement(
  'M-50',
  'is changed in place when it is deployed again with another entry',
  OWN,
  async ({ lab, subject, observe }) => {
    const platform = await platformOf({ lab, subject });
    const entry = oneOf(await lab.namespace());
    await platform.deploy('again', entry);
    const release = platform.release('again');
    const before = {
      workload: await handleOf(release).read(),
      service: await release.service(serviceOf(release).metadata.name),
    };
    const env = { ...entry.env, KP_COLOUR: 'green' };
    await platform.deploy('again', { ...entry, env, service: { ...entry.service, port: 8181 } });
    const workload = await handleOf(release).read();
    const service = await release.service(serviceOf(release).metadata.name);
    expect(workload.metadata.uid, `uid of ${nameOf(serverOf(release).model.object)}`).toBe(
      before.workload.metadata.uid,
    );
    expect(service.metadata.uid, `uid of Service ${service.metadata.name}`).toBe(before.service.metadata.uid);
    expect(portOf(service).port, `port of Service ${service.metadata.name}`).toBe(8181);
    const [pod] = await staying(release);
    if (!pod) throw new CheckFailure('E_SELECTED_NOTHING', 'the server has no pods');
    expect((await environmentOf(release, pod)).get('KP_COLOUR'), 'KP_COLOUR').toBe('green');
    observe(`generation ${before.workload.metadata.generation ?? 0} to ${workload.metadata.generation ?? 0}`);
  },
);

requirement(
  ['M-57', 'M-62'],
  'is deployed, used, scaled, updated, stopped and deleted, and the cluster is as it was before',
  { ...OWN, timeoutMs: 420_000, typicalMs: 70_000 },
  async ({ lab, subject, kube, observe }) => {
    const platform = await platformOf({ lab, subject });
    const namespace = await lab.namespace();
    // Its name is in the name of whatever belongs to it on the whole cluster.
    const name = 'whole-life';
    const ofCluster = async (): Promise<string[]> =>
      (await clusterInventory(kube)).objects
        .filter(({ metadata }) => metadata.name.includes(name))
        .map(nameOf)
        .toSorted();
    const before = { namespace: await inventory(kube, namespace), cluster: await ofCluster() };
    await platform.deploy(name, oneOf(namespace));
    const release = platform.release(name);
    const client = await startMcpClient(lab);
    const answers = (when: string) =>
      expect(
        eventually(async () => {
          const [session] = await client.talk({ url: urlOf(release) });
          return nothingWrong(`it answers ${when}`, session?.error === undefined ? [] : [session.error]);
        }),
      ).toHold();
    await answers('after the deployment');
    expect(await platform.scale(name, 2), 'state after scaling').toMatchObject({ wanted: 2, ready: 2 });
    await platform.update(name, { config: { KP_COLOUR: 'green' } });
    await answers('after the update');
    await platform.stop(name);
    await endpointsAre(kube, { name: serviceOf(release).metadata.name, namespace }, []);
    await platform.delete(name);
    await namespaceRestored(kube, namespace, before.namespace, { timeoutMs: UNDONE_MS });
    expect(await ofCluster(), 'objects outside of namespaces').toEqual(before.cluster);
    observe(`${release.objects.length} objects came and went`);
  },
);

requirement(
  'M-67',
  'is reported with the phase and the ready pods that its workload has, at each stage',
  OWN,
  async ({ lab, subject, kube, observe }) => {
    const platform = await platformOf({ lab, subject });
    const namespace = await lab.namespace();
    await platform.deploy('watched', oneOf(namespace));
    const handle = handleOf(platform.release('watched'));
    const reported = async (stage: string, phases: readonly string[], wanted: number, ready: number) => {
      const result = await eventually(async () => {
        const { spec, status } = await handle.read();
        const state = await platform.status('watched');
        const live = `${status?.readyReplicas ?? 0} of ${spec.replicas ?? 1}`;
        const said = `${state?.phase ?? 'absent'}, ${state?.ready ?? 0} of ${state?.wanted ?? 0}`;
        const right = phases.some((phase) => said === `${phase}, ${ready} of ${wanted}`);
        return nothingWrong(
          `${stage} it is reported as ${phases.join(' or ')}, ${ready} of ${wanted} pods ready`,
          right ? [] : [`it is reported as ${said}; its workload has ${live}`],
        );
      });
      await expect(result).toHold();
      observe(`${stage}: ${result.expected}`);
    };
    await reported('after the deployment', ['running'], 1, 1);
    // A second pod is wanted, and cannot be created.
    await allowNone(kube, namespace, 'pods');
    await kube.patch(
      handle.kind,
      { name: handle.name, namespace },
      { spec: { replicas: 2 } },
      { subresource: 'scale' },
    );
    await reported('with a pod that cannot be created', ['pending', 'failed'], 2, 1);
    await platform.stop('watched');
    await reported('after the stop', ['stopped'], 0, 0);
  },
);

requirement(
  ['M-74', 'M-80'],
  'does with its commands on the cluster what it reports: deploy, list, logs, stop, clean-up, delete',
  OWN,
  async (context) => {
    const { lab, kube, observe } = context;
    const platform = await platformUnderTest(context);
    const namespace = await lab.namespace();
    const exists = async (): Promise<string[]> =>
      (await kube.list('Deployment', { namespace })).map(({ metadata }) => metadata.name);
    const none = await exists();
    await platform.deploy('cli', oneOf(namespace));
    const release = platform.release('cli');
    await expect(handleOf(release)).toHaveAvailableReplicas(1);
    expect(
      (await platform.list(namespace)).map(({ name }) => name),
      'what `list` has',
    ).toEqual(['cli']);
    const [pod] = await staying(release);
    const { container } = serverOf(release);
    const lines = await kube.logs({ namespace, pod: pod?.metadata.name ?? '', container: container.name });
    const line = lines?.trim().split('\n').at(-1) ?? '';
    if (line === '') throw new DoesNotFit('the server writes no log');
    expect(await platform.logs('cli'), 'what `logs` has').toContain(line);
    await platform.stop('cli');
    const { spec } = await handleOf(release).read();
    expect(spec.replicas, 'replicas of the stopped server').toBe(0);
    expect(await platform.cleanup(namespace), 'what `cleanup` deletes').toEqual(['cli']);
    expect(await exists(), 'workloads after the clean-up').toEqual(none);
    await platform.deploy('cli', oneOf(namespace));
    await platform.delete('cli');
    expect(await exists(), 'workloads after the deletion').toEqual(none);
    observe(`log: ${line}`);
  },
);

requirement('M-75', 'shows the log of all its pods, not only of the first one', OWN, async (context) => {
  const { lab, kube, observe } = context;
  const platform = await platformUnderTest(context);
  const namespace = await lab.namespace();
  await platform.deploy('talkative', smallEntry(namespace));
  const release = platform.release('talkative');
  const { container } = serverOf(release);
  const pods = await staying(release);
  for (const { metadata } of pods) {
    const script = `echo kindproof was in ${metadata.name} > /proc/1/fd/1`;
    const pod = pods.find((one) => one.metadata.uid === metadata.uid);
    if (pod) await release.output(pod, ['sh', '-c', script], container.name);
    const own = await kube.logs({ namespace, pod: metadata.name, container: container.name });
    if (own?.includes(`kindproof was in ${metadata.name}`) !== true)
      throw new DoesNotFit('nothing can be written into the log of the server');
  }
  const shown = await platform.logs('talkative');
  const missing = pods
    .filter(({ metadata }) => !shown.includes(`kindproof was in ${metadata.name}`))
    .map(({ metadata }) => `it lacks the lines of ${metadata.name}`);
  await expect(nothingWrong(`the log has the lines of ${pods.length} pods`, missing)).toHold();
  observe(`${shown.split('\n').length} lines of ${pods.length} pods`);
});

requirement(
  'M-69',
  'says why a server crashes: how it ended, and its last lines',
  { ...OWN, timeoutMs: 420_000 },
  async (context) => {
    const { lab, kube, observe } = context;
    const platform = await platformUnderTest(context);
    const namespace = await lab.namespace();
    const entry = oneOf(namespace);
    const last = '--kindproof-no-option';
    const env = { ...entry.env, NODE_OPTIONS: last };
    const text = await failureOf(
      platform.deploy('crashing', { ...entry, env }, { timeoutSeconds: 60 }),
      'the deployment of a server that crashes',
    ).catch(async (error: unknown) => {
      const pods = await kube.list('Pod', { namespace });
      if (pods.some(({ status }) => status?.containerStatuses?.some(({ ready }) => ready) === true))
        throw new DoesNotFit('NODE_OPTIONS does not make the server crash', {
          hint: 'It is no Node program.',
        });
      throw error;
    });
    expect(text, 'how the server ended').toMatch(
      /CrashLoop|exit code|exit status|terminated|OOMKilled|Error:/i,
    );
    expect(text, 'what the server wrote at its end').toContain(last);
    observe(text);
  },
);

requirement(
  'M-23',
  'has its namespace created with the label of its manager; an existing one stays as it is, and a refusal is said',
  { ...OWN, timeoutMs: 420_000 },
  async (context) => {
    const { lab, kube, observe } = context;
    const platform = await platformUnderTest(context);
    const existing = await lab.namespace();
    const absent = namespaceBeside(context, existing, 'new');
    await platform.deploy('first', oneOf(absent));
    const created = await kube.get('Namespace', { name: absent });
    await kube.patch('Namespace', { name: absent }, { metadata: { labels: lab.labels } });
    const manager = created?.metadata.labels?.[MANAGED_BY];
    expect(manager, `label ${MANAGED_BY} of the new namespace`).toMatch(/./);

    const before = await kube.get('Namespace', { name: existing });
    await platform.deploy('second', oneOf(existing));
    const after = await kube.get('Namespace', { name: existing });
    const marks = (object: typeof after) => ({
      labels: object?.metadata.labels,
      annotations: object?.metadata.annotations,
    });
    expect(marks(after), `labels and annotations of namespace ${existing}`).toEqual(marks(before));

    const refused = namespaceBeside(context, existing, 'no');
    const token = await serviceAccountToken(kube, existing, 'kindproof-without-rights');
    const config = withToken(await readKubeconfig(lab.access.kubeconfig), token);
    const kubeconfig = await kubeconfigIn(await privateFolder(lab), 'without-rights', config);
    const text = await failureOf(
      platform.as({ ...lab.access, kubeconfig }).deploy('third', oneOf(refused)),
      'a deployment into a namespace that may not be created',
    );
    expect(text, 'what is said about the refusal').toMatch(/forbidden|not allowed|denied|permission|cannot/i);
    expect(await kube.get('Namespace', { name: refused }), `namespace ${refused}`).toBeUndefined();
    observe(`created with ${MANAGED_BY}=${manager ?? ''}`);
    observe(text);
  },
);

requirement(
  'M-31',
  'takes its namespace with it only when asked, and never one of somebody else',
  { ...OWN, timeoutMs: 420_000 },
  async (context) => {
    const { lab, kube, observe } = context;
    const platform = await platformUnderTest(context);
    const others = await lab.namespace();
    const own = namespaceBeside(context, others, 'own');
    const isThere = async (name: string): Promise<boolean> => {
      const found = await kube.get('Namespace', { name });
      return found !== undefined && found.metadata.deletionTimestamp === undefined;
    };
    await platform.deploy('kept', oneOf(own));
    await platform.delete('kept');
    expect(await isThere(own), `namespace ${own} is there after a deletion of the server alone`).toBe(true);
    await platform.deploy('taken', oneOf(own));
    await platform.delete('taken', { namespace: true });
    expect(await isThere(own), `namespace ${own} is there after it was to be deleted`).toBe(false);

    await kube.create({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'of-somebody', namespace: others },
    });
    await platform.deploy('guest', oneOf(others));
    // A refusal is as good as a deletion that leaves the namespace.
    const refusal = await platform.delete('guest', { namespace: true }).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof CheckFailure) return error.message;
        throw error;
      },
    );
    expect(await isThere(others), `namespace ${others} of somebody else is there`).toBe(true);
    observe(refusal ?? `${own} was deleted on request, ${others} stayed`);
  },
);

requirement(
  'M-32',
  'keeps its volume when it is deleted, and deletes it on request, but no claim of somebody else',
  { ...OWN, timeoutMs: 420_000 },
  async (context) => {
    const { lab, kube, observe } = context;
    const platform = await platformUnderTest(context);
    const namespace = await lab.namespace();
    const claims = async (): Promise<string[]> =>
      (await kube.list('PersistentVolumeClaim', { namespace }))
        .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
        .map(({ metadata }) => metadata.name)
        .toSorted();
    // As similar as somebody else's can be.
    await kube.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'stored-data-of-somebody', namespace, labels: { app: 'stored' } },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
    });
    const others = await claims();
    await platform.deploy('stored', oneOf(namespace), { volume: true });
    const both = await claims();
    const own = both.filter((name) => !others.includes(name));
    expect(own, 'claims of the server').toHaveLength(1);
    const [name = ''] = own;
    const claim = await kube.get('PersistentVolumeClaim', { name, namespace });
    expect(claim?.['status'], `status of claim ${name}`).toMatchObject({ phase: 'Bound' });
    await platform.delete('stored', { volumes: true });
    const gone = await eventually(async () =>
      nothingWrong(`claim ${name} is gone`, (await claims()).includes(name) ? ['it is still there'] : []),
    );
    await expect(gone).toHold();
    expect(await claims(), 'claims of others after the clean-up of volumes').toEqual(others);
    await platform.deploy('stored', oneOf(namespace), { volume: true });
    await platform.delete('stored');
    expect(await claims(), 'claims after a deletion without the volumes').toHaveLength(both.length);
    observe(`claim ${name} went on request only`);
  },
);

requirement(
  ['M-47', 'M-49'],
  'uses the kubeconfig that it is given, and says at once when there is none or its API server is out of reach',
  OWN,
  async (context) => {
    const { lab, observe } = context;
    const platform = await platformUnderTest(context);
    const namespace = await lab.namespace();
    expect(await platform.list(namespace), 'servers of an empty namespace').toEqual([]);
    const { kubeconfig: good, context: name } = lab.access;
    const folder = await privateFolder(lab);
    const config = await readKubeconfig(good);
    const absent = join(folder, 'absent');
    // The environment has a good one, which is not the one that was given.
    const env = { KUBECONFIG: await kubeconfigIn(folder, 'other', config) };
    const missing = await failureOf(
      platform.as({ kubeconfig: absent, context: name, env }).list(namespace),
      'a command with a kubeconfig that does not exist',
    );
    expect(missing, 'what is said about the kubeconfig').toContain(absent);

    // Nothing listens on this port of the machine.
    const server = 'https://127.0.0.1:1';
    const kubeconfig = await kubeconfigIn(folder, 'unreachable', atAddress(config, server));
    const unreachable = await failureOf(
      platform.as({ kubeconfig, context: name, limitSeconds: QUICK_SECONDS }).list(namespace),
      'a command without an API server',
    );
    expect(unreachable, 'what is said about the API server').toMatch(/127\.0\.0\.1|refused|connect|reach/i);
    observe(missing);
    observe(unreachable);
  },
);

/** A refused connection is known in milliseconds; some clients try a few times. */
const QUICK_SECONDS = 60;

async function staying(release: Release) {
  return (await serverPods(release)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** The name of a namespace that does not exist; the run deletes it when the check ends. */
function namespaceBeside({ lab, kube }: CheckContext, namespace: string, suffix: string): string {
  const name = `${namespace}-${suffix}`.slice(0, 63);
  lab.defer(`delete namespace ${name}`, () => deleteNamespace(kube.teardown, name));
  return name;
}
