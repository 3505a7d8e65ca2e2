/** Who may connect to the server, and where it may connect to, under its network policy. */
import { busyboxImage } from '../../../fixtures/images/build.ts';
import { waitFor } from '../../../harness/core/deadline.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import { RUN_LABEL } from '../../../harness/core/run-id.ts';
import { ApiError } from '../../../harness/kube/api/errors.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import { createNamespace } from '../../../harness/kube/api/new-namespace.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { startBarePod } from '../../../harness/run/suite/bare-pod.ts';
import { CheckSkipped } from '../../../harness/run/suite/check.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import { requirement } from '../kit.ts';
import { mainOf } from '../rendered-server.ts';
import { serverPod } from '../server-pods.ts';

/** The namespaces of the agents, by the documents. */
const ALLOWED = ['mcp', 'orchestrator'];
/** Denied this often in a row: a policy takes effect within seconds, and one lost connection proves nothing. */
const DENIALS = 3;
const TOLERATIONS = [{ operator: 'Exists', effect: 'NoSchedule' }];
const SERVE_PORT = 8080;

interface Source {
  title: string;
  namespace: string;
  pod: string;
  container: string;
}

requirement(
  ['T-23', 'TA-16'],
  'is reached from the namespaces mcp and orchestrator under its network policy, from no other one, and stays ready',
  { release: 'none', disruptive: true, needs: ['network-policy'], timeoutMs: 600_000 },
  async ({ lab, kube, observe }) => {
    const namespaces = [...(await agentNamespaces(lab)), await lab.namespace()];
    const clients = await Promise.all(namespaces.map((namespace) => startClient(kube, namespace)));
    const set = ['replicaCount=1'];
    const release = await lab.install({ set: [...set, 'networkPolicy.enabled=false'] });
    const service = await release.service();
    const target = { host: service.spec.clusterIP ?? '', port: service.spec.ports?.[0]?.port ?? 0 };
    // Proves that a later denial comes from the policy.
    for (const client of clients) await accepted(kube, client, target, 'the server without a policy');

    await lab.upgrade(release, { set: [...set, 'networkPolicy.enabled=true'] });
    const [stranger, ...agents] = [...clients].reverse();
    if (stranger) await denied(kube, stranger, target, 'the server');
    for (const client of agents) await accepted(kube, client, target, 'the server');
    // A new pod has to be probed under the policy; it also has a new address.
    const pod = await lab.replacePods(release);
    if (stranger) await denied(kube, stranger, target, 'the server');
    for (const client of agents) await accepted(kube, client, target, 'the server');
    expect(pod.metadata.deletionTimestamp, `deletion of ${pod.metadata.name}`).toBeUndefined();
    observe(`${ALLOWED.join(' and ')} reach ${pod.metadata.name}, ${stranger?.namespace ?? ''} does not`);
  },
);

requirement(
  'TA-29',
  'reaches DNS and the API server, and nothing else, when its outgoing connections are restricted',
  { release: 'none', disruptive: true, needs: ['network-policy'], timeoutMs: 420_000 },
  async ({ lab, kube, observe }) => {
    const elsewhere = await lab.namespace();
    await startBarePod(kube, {
      name: 'elsewhere',
      namespace: elsewhere,
      image: busyboxImage.ref,
      command: ['sh', '-c', `mkdir -p /tmp/www && exec busybox httpd -f -p ${SERVE_PORT} -h /tmp/www`],
      port: SERVE_PORT,
      tolerations: TOLERATIONS,
    });
    const outside = {
      host: addressOf(await kube.get('Pod', { name: 'elsewhere', namespace: elsewhere })),
      port: SERVE_PORT,
    };
    const apiServer = { host: 'kubernetes.default.svc.cluster.local', port: 443 };
    const set = ['replicaCount=1', 'networkPolicy.enabled=true'];
    const release = await lab.install({ set: [...set, 'networkPolicy.egress.enabled=false'] });
    const sourceOf = (pod: Pod): Source => ({
      title: pod.metadata.name,
      namespace: release.namespace,
      pod: pod.metadata.name,
      container: mainOf(pod.spec).name,
    });
    await accepted(kube, sourceOf(await serverPod(release)), outside, 'another pod while it is unrestricted');

    await lab.upgrade(release, { set: [...set, 'networkPolicy.egress.enabled=true'] });
    await denied(kube, sourceOf(await serverPod(release)), outside, 'another pod');
    // Once the policy is in effect, a new pod has to become ready and to resolve names.
    const source = sourceOf(await lab.replacePods(release));
    await denied(kube, source, outside, 'another pod');
    await accepted(kube, source, apiServer, 'the API server by its name');
    expect(source.pod, 'pod that resolves names and reaches the API server').not.toBe('');
    observe(`${source.pod} reaches the API server by its name, and no other pod`);
  },
);

/** Until another check, or another proof, has done with them. */
const FREE_MS = 300_000;

/**
 * The namespaces of the documents, which are deleted when the check ends.
 *
 * @throws CheckSkipped when one belongs to somebody else
 */
async function agentNamespaces(lab: Lab): Promise<string[]> {
  const { kube, labels } = lab;
  for (const name of ALLOWED) {
    await waitFor<undefined>({
      what: `namespace ${name} to be free`,
      timeoutMs: FREE_MS,
      intervalMs: 1000,
      look: async () => {
        const namespace = await kube.get('Namespace', { name });
        if (namespace && namespace.metadata.labels?.[RUN_LABEL] === undefined)
          throw new CheckSkipped(`namespace ${name} belongs to somebody else`);
        const isOurs = !namespace && (await created(kube, name, labels));
        return isOurs ? { done: true, value: undefined } : { done: false, seen: 'another check uses it' };
      },
    });
    lab.defer(`delete namespace ${name}`, () => kube.teardown.delete('Namespace', { name }));
  }
  return ALLOWED;
}

/** `false` when somebody else was faster. */
async function created(kube: KubeClient, name: string, labels: Record<string, string>): Promise<boolean> {
  try {
    await createNamespace(kube, { name, labels });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return false;
    throw error;
  }
}

async function startClient(kube: KubeClient, namespace: string): Promise<Source> {
  await startBarePod(kube, { name: 'client', namespace, image: busyboxImage.ref, tolerations: TOLERATIONS });
  return { title: `namespace ${namespace}`, namespace, pod: 'client', container: 'client' };
}

interface Target {
  host: string;
  port: number;
}

function accepted(kube: KubeClient, from: Source, to: Target, what: string): Promise<void> {
  return until(`${from.title} to reach ${what}`, kube, from, to, (answers) => answers.at(-1) === true);
}

function denied(kube: KubeClient, from: Source, to: Target, what: string): Promise<void> {
  return until(
    `the policy to deny connections from ${from.title} to ${what}`,
    kube,
    from,
    to,
    (answers) => answers.length >= DENIALS && answers.slice(-DENIALS).every((answer) => !answer),
  );
}

function until(
  what: string,
  kube: KubeClient,
  from: Source,
  to: Target,
  holds: (answers: readonly boolean[]) => boolean,
): Promise<void> {
  const answers: boolean[] = [];
  return waitFor<undefined>({
    what,
    timeoutMs: 60_000,
    look: async () => {
      const isOpen = await connects(kube, from, to);
      answers.push(isOpen);
      return holds(answers)
        ? { done: true, value: undefined }
        : { done: false, seen: `connections are ${isOpen ? 'accepted' : 'denied'}` };
    },
  });
}

/** Whether a connection to the port is accepted within 3 s. */
async function connects(
  kube: KubeClient,
  { namespace, pod, container }: Source,
  { host, port }: Target,
): Promise<boolean> {
  const command = ['sh', '-c', `busybox nc -w 3 ${host} ${port} < /dev/null`];
  const { exitCode, stderr } = await kube.exec({ namespace, pod, container, command, timeoutMs: 60_000 });
  if (exitCode === 127) throw new CheckFailure('E_EXEC', `nc in pod ${pod}: ${stderr.trim()}`);
  return exitCode === 0;
}

function addressOf(pod: Pod | undefined): string {
  const address = pod?.status?.podIP;
  if (address !== undefined) return address;
  throw new CheckFailure('E_NOT_RUNNING', 'the pod of the check has no address');
}
