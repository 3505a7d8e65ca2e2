/** Who may connect to the server, and where it may connect to, under its network policy. */
import { busyboxImage } from '../../../fixtures/images/build.ts';
import { waitFor } from '../../../harness/core/deadline.ts';
import { InfrastructureError } from '../../../harness/core/errors.ts';
import { RUN_LABEL } from '../../../harness/core/run-id.ts';
import { ApiError } from '../../../harness/kube/api/errors.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import { deleteNamespace } from '../../../harness/kube/api/namespace-end.ts';
import { createNamespace } from '../../../harness/kube/api/new-namespace.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { startBarePod } from '../../../harness/run/suite/bare-pod.ts';
import { CheckSkipped } from '../../../harness/run/suite/check.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import { isReady } from '../../../harness/observe/waits/pod-start.ts';
import { restrictingOf, withoutPolicies } from '../../any-chart/network-policies.ts';
import { startStandIn } from '../../any-chart/stand-in-pod.ts';
import { requirement } from '../kit.ts';
import { withReplicas } from '../means.ts';
import { renderedServer, serverIn } from '../server.ts';
import { serverPod, serverPods, serviceAddress } from '../server-pods.ts';

/** The namespaces of the agents, by the documents. */
const ALLOWED = ['mcp', 'orchestrator'];
/** Denied this often in a row: a policy takes effect within seconds, and one lost connection proves nothing. */
const DENIALS = 3;
const TOLERATIONS = [{ operator: 'Exists', effect: 'NoSchedule' }];
const SERVE_PORT = 8080;
const API_SERVER: Target = { host: 'kubernetes.default.svc.cluster.local', port: 443 };

/** A pod that connects to others. */
interface Source {
  title: string;
  connects(to: Target): Promise<boolean>;
}

requirement(
  ['T-23', 'TA-16'],
  'is reached from the namespaces mcp and orchestrator under its network policy, from no other one, and stays ready',
  { release: 'none', disruptive: true, needs: ['network-policy'], timeoutMs: 600_000, typicalMs: 90_000 },
  async ({ lab, kube, observe }) => {
    const server = await renderedServer(lab);
    const agents = await Promise.all(
      (await agentNamespaces(lab)).map((namespace) => startClient(kube, namespace)),
    );
    const stranger = await startClient(kube, await lab.namespace());
    const release = await lab.install({
      patches: withReplicas(server, 1),
      set: restrictingOf(server.workload, 'ingress').length > 0 ? [] : ['networkPolicy.enabled=true'],
    });
    const { address: host, port } = await serviceAddress(release);
    const target = { host, port };
    // Proves that a later denial comes from the policy.
    await withoutPolicies(lab, release, async () => {
      for (const client of [...agents, stranger])
        await accepted(client, target, 'the server without a policy');
    });

    await denied(stranger, target, 'the server');
    for (const client of agents) await accepted(client, target, 'the server');
    // A new pod has to be probed under the policy; it also has a new address.
    await lab.replacePods(release, await serverPods(release));
    const pod = await serverPod(release);
    await denied(stranger, target, 'the server');
    for (const client of agents) await accepted(client, target, 'the server');
    expect(isReady(pod), `readiness of ${pod.metadata.name} under the policy`).toBe(true);
    observe(`${ALLOWED.join(' and ')} reach ${pod.metadata.name}, ${stranger.title} does not`);
  },
);

requirement(
  'TA-29',
  'reaches DNS and the API server, and nothing else, when its outgoing connections are restricted',
  { release: 'none', disruptive: true, needs: ['network-policy'], timeoutMs: 420_000, typicalMs: 50_000 },
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
    const server = await renderedServer(lab);
    const release = await lab.install({
      patches: withReplicas(server, 1),
      set:
        restrictingOf(server.workload, 'egress').length > 0
          ? []
          : ['networkPolicy.enabled=true', 'networkPolicy.egress.enabled=true'],
    });
    // Policies treat it like the server, whose image may have no program that connects.
    const { workload, namespace } = serverIn(release);
    const like = await startStandIn(lab, {
      name: 'kindproof-stand-in',
      namespace,
      labels: workload.template.metadata.labels ?? {},
    });
    const standIn: Source = {
      title: `a pod with the labels of ${workload.title}`,
      connects: ({ host, port }) => like.connects(host, port),
    };
    await withoutPolicies(lab, release, () =>
      accepted(standIn, outside, 'another pod while it is unrestricted'),
    );

    await denied(standIn, outside, 'another pod');
    await accepted(standIn, API_SERVER, 'the API server by its name');
    // Once the policy is in effect, a new pod has to become ready.
    await lab.replacePods(release, await serverPods(release));
    const pod = await serverPod(release);
    expect(isReady(pod), `readiness of ${pod.metadata.name} under the policy`).toBe(true);
    observe(`${standIn.title} reaches the API server by its name, and no other pod`);
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
    lab.defer(`delete namespace ${name}`, () => deleteNamespace(kube.teardown, name));
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
  const pod = 'client';
  await startBarePod(kube, { name: pod, namespace, image: busyboxImage.ref, tolerations: TOLERATIONS });
  return {
    title: `namespace ${namespace}`,
    connects: async ({ host, port }) => {
      const command = ['busybox', 'nc', '-w', '3', host, String(port), '-e', '/bin/true'];
      return (await kube.exec({ namespace, pod, command, timeoutMs: 60_000 })).exitCode === 0;
    },
  };
}

interface Target {
  host: string;
  port: number;
}

function accepted(from: Source, to: Target, what: string): Promise<void> {
  return until(`${from.title} to reach ${what}`, from, to, (answers) => answers.at(-1) === true);
}

function denied(from: Source, to: Target, what: string): Promise<void> {
  return until(
    `the policy to deny connections from ${from.title} to ${what}`,
    from,
    to,
    (answers) => answers.length >= DENIALS && answers.slice(-DENIALS).every((answer) => !answer),
  );
}

function until(
  what: string,
  from: Source,
  to: Target,
  holds: (answers: readonly boolean[]) => boolean,
): Promise<void> {
  const answers: boolean[] = [];
  return waitFor<undefined>({
    what,
    timeoutMs: 60_000,
    look: async () => {
      const isOpen = await from.connects(to);
      answers.push(isOpen);
      return holds(answers)
        ? { done: true, value: undefined }
        : { done: false, seen: `connections are ${isOpen ? 'accepted' : 'denied'}` };
    },
  });
}

function addressOf(pod: Pod | undefined): string {
  const address = pod?.status?.podIP;
  if (address !== undefined) return address;
  throw new InfrastructureError('E_OWN_POD', 'the pod of the check has no address');
}
