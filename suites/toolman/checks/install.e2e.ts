/** The release is installed, with exactly its replicas, ready and reachable. */
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { pendingAddress } from '../../../harness/observe/predicates/live/load-balancer.ts';
import { imageIdMatches } from '../../../harness/observe/predicates/live/image.ts';
import { selectorSelectsExactly } from '../../../harness/observe/predicates/live/workload.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { nameOf, ofKind, podSpecOf } from '../../../harness/kube/manifests/objects.ts';
import { leavesOf } from '../../../harness/kube/helm/unknown-values.ts';
import { CheckFailure, DoesNotFit } from '../../../harness/core/errors.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import type { WorkloadHandle } from '../../../harness/observe/matchers/workload-handle.ts';
import { containerNamed, containerStatus, type Release } from '../../../harness/run/suite/release.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import { startClientPod } from '../../pods/client-pod.ts';
import { DOCUMENTED, renderedServer, serverIn, serverOf, serviceOf } from '../server.ts';
import { serverPods } from '../server-pods.ts';

requirement(
  'T-02',
  'installs into a new namespace as release and Deployment toolman',
  { names: true },
  async ({ release, lab, observe }) => {
    const status = await lab.helm.status({ releaseName: release.name, namespace: release.namespace });
    expect(status?.status, 'status of the release').toBe('deployed');
    const { deployment } = DOCUMENTED;
    expect((await release.deployment(deployment).read()).metadata.name).toBe(deployment);
    observe(`release ${release.name} revision ${status?.revision ?? 0} is deployed`);
  },
);

requirement(
  ['T-28', 'T-50'],
  'has 3 ready and available replicas, as it requests',
  { first: true },
  async ({ release }) => {
    await expect(serverOf(release)).toHaveAvailableReplicas(3);
  },
);

requirement(
  'T-03',
  'runs the image of its values, and exactly that image',
  async ({ release, lab, subject, observe }) => {
    const values = await lab.helm.getValues(
      { releaseName: release.name, namespace: release.namespace },
      { all: true },
    );
    const { container } = serverIn(release);
    const wanted = imageOf(values, container.image);
    const digest = subject.images.find((i) => i.ref === wanted)?.digest;
    const pods = await serverPods(release);
    for (const pod of pods) {
      const { image } = containerNamed(pod.spec, container.name, pod.metadata.name);
      expect(image, `image of container ${container.name} in ${pod.metadata.name}`).toBe(wanted);
    }
    if (digest !== undefined) await expect(imageIdMatches(pods, container.name, digest)).toHold();
    observe(`${wanted}${digest === undefined ? '' : ` = ${digest}`}`);
  },
);

/**
 * The image that the values ask for: by the documented value, otherwise the rendered one, if values name its parts.
 *
 * @throws DoesNotFit when no value names it
 */
function imageOf(values: Readonly<Record<string, unknown>>, rendered: string): string {
  const image = values['image'] as { repository?: string; tag?: string } | undefined;
  if (image?.repository !== undefined) return `${image.repository}:${image.tag ?? ''}`;
  const words = leavesOf(values).map(({ value }) => String(value));
  const [, repository = rendered, tag = ''] = /^(.+?)(?::([^:/]+))?$/.exec(rendered) ?? [];
  const isNamed = words.some((word) => word === rendered || (word !== '' && repository.endsWith(word)));
  if (isNamed && words.some((word) => word === rendered || word === tag)) return rendered;
  throw new DoesNotFit(`the chart has no value image, and no other value names ${rendered}`);
}

requirement(
  'T-03',
  'calls the container of the application toolman',
  { release: 'none', static: true, names: true },
  async ({ lab }) => {
    const { object } = await renderedServer(lab);
    const names = podSpecOf(object)?.containers.map(({ name }) => name);
    expect(names, `containers of ${nameOf(object)}`).toContain(DOCUMENTED.container);
  },
);

requirement('T-40', 'has every container of every pod ready', async ({ release }) => {
  await expect(serverOf(release)).toHaveAllContainersReady();
});

requirement(
  'T-39',
  'selects exactly its own pods by app.kubernetes.io/name=toolman',
  async ({ release, kube, observe }) => {
    const labelSelector = 'app.kubernetes.io/name=toolman';
    const { namespace } = serverIn(release);
    const selected = await kube.list('Pod', { namespace, labelSelector });
    // The label may also be on other pods of the release: it is the name of the system.
    const others = await otherPods(release);
    const own = selected.filter(({ metadata }) => !others.has(metadata.name));
    const result = selectorSelectsExactly(labelSelector, own, await serverPods(release));
    await expect(result).toHold();
    observe(result.actual);
  },
);

/** Names of the pods of the workloads that are not the server. */
async function otherPods(release: Release): Promise<ReadonlySet<string>> {
  const { name, kind } = serverOf(release);
  const others = release.workloads().filter((one) => one.name !== name || one.kind !== kind);
  const pods = await Promise.all(others.map((workload) => podsOrNone(workload)));
  return new Set(pods.flat().map(({ metadata }) => metadata.name));
}

/** A worker may have been scaled to 0. */
async function podsOrNone(workload: WorkloadHandle): Promise<Pod[]> {
  try {
    return await workload.pods();
  } catch (error) {
    if (error instanceof CheckFailure && error.code === 'E_SELECTED_NOTHING') return [];
    throw error;
  }
}

requirement(
  'T-05',
  'prepares /data/projects in an init container that succeeds at the first attempt',
  async ({ release, observe }) => {
    const { container } = serverIn(release);
    for (const pod of await serverPods(release)) {
      const { name } = pod.metadata;
      // Without sidecars (restartPolicy Always), which keep running.
      const inits = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy !== 'Always');
      expect(inits.length, `init containers in ${name}`).toBeGreaterThan(0);
      for (const init of inits) {
        const status = containerStatus(pod, init.name);
        expect(status.state?.terminated?.exitCode, `exit code of init container ${init.name}`).toBe(0);
        expect(status.restartCount, `restarts of init container ${init.name}`).toBe(0);
      }
      const probe = `/data/projects/.kindproof-${name}`;
      const write = await release.exec(pod, ['sh', '-c', `touch ${probe} && rm ${probe}`], container.name);
      expect(write.stderr, `writing to /data/projects in ${name}`).toBe('');
      expect(write.exitCode).toBe(0);
      const ended = inits.map((c) => c.name).join(', ');
      observe(`${name}: ${ended} exit 0, /data/projects writable by ${container.name}`);
    }
  },
);

requirement('T-22', 'answers by its DNS name from another namespace', async ({ release, lab, observe }) => {
  const client = await startClientPod(lab, release);
  const service = await release.liveService(serviceOf(release));
  const host = `${service.metadata.name}.${serverIn(release).namespace}.svc.cluster.local`;
  const { ports = [] } = service.spec;
  // The cluster's DNS and each node's kube-proxy learn of the Service and its pods separately.
  const resolves = async (): Promise<PredicateResult> => {
    const { exitCode, stdout, stderr } = await client.run(['busybox', 'nslookup', host]);
    const actual = exitCode === 0 ? 'it does' : `${stdout}${stderr}`.trim() || `exit code ${exitCode}`;
    return { ok: exitCode === 0, expected: `${host} resolves`, actual };
  };
  const serves = async (): Promise<PredicateResult> => {
    const answers: string[] = [];
    // The documents do not say which of several ports serves the API.
    for (const { port } of ports) {
      const [status = ''] = (await client.httpGet(host, port, '/health')).split('\r\n');
      answers.push(`port ${port}: ${status || 'no answer'}`);
    }
    const ok = answers.some((line) => /: HTTP\/1\.[01] 200 /.test(line));
    return { ok, expected: `GET http://${host}/health answers 200`, actual: answers.join(', ') || 'no port' };
  };
  // CoreDNS caches a negative answer for up to 30 s.
  await expect(eventually(resolves, { timeoutMs: 60_000 })).toHold();
  await expect(eventually(serves)).toHold();
  observe(`${host} resolves and answers 200 from namespace ${client.namespace}`);
  const pending = pendingAddress(service);
  if (pending !== undefined) observe(pending);
});

requirement(
  'T-22',
  'calls its Service toolman',
  { release: 'none', static: true, names: true },
  async ({ lab }) => {
    const { objects } = await lab.subject();
    const names = ofKind(objects, 'Service').map(({ metadata }) => metadata.name);
    expect(names, 'rendered Services').toContain(DOCUMENTED.service);
  },
);
