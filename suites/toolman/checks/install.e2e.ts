/** The release is installed, with exactly its replicas, ready and reachable. */
import { endpointsMatch } from '../../../harness/observe/predicates/live/endpoints.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { pendingAddress } from '../../../harness/observe/predicates/live/load-balancer.ts';
import { imageIdMatches } from '../../../harness/observe/predicates/live/image.ts';
import { selectorSelectsExactly } from '../../../harness/observe/predicates/live/workload.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { DoesNotFit } from '../../../harness/core/errors.ts';
import { containerStatus } from '../../../harness/run/suite/release.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import { startClientPod } from '../client-pod.ts';
import { serverPods } from '../server-pods.ts';

requirement(
  'T-02',
  'installs into a new namespace as release and Deployment toolman',
  { names: true },
  async ({ release, lab, observe }) => {
    const status = await lab.helm.status({ releaseName: release.name, namespace: release.namespace });
    expect(status?.status, 'status of the release').toBe('deployed');
    expect((await release.deployment('toolman').read()).metadata.name).toBe('toolman');
    observe(`release ${release.name} revision ${status?.revision ?? 0} is deployed`);
  },
);

requirement(
  ['T-28', 'T-50'],
  'has 3 ready and available replicas, as it requests',
  { first: true },
  async ({ release }) => {
    await expect(release.deployment('toolman')).toHaveAvailableReplicas(3);
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
    const image = values['image'] as { repository?: string; tag?: string } | undefined;
    if (!image) throw new DoesNotFit('the chart has no value image');
    const wanted = `${image.repository ?? ''}:${image.tag ?? ''}`;
    const digest = subject.images.find((i) => i.ref === wanted)?.digest;
    const pods = await serverPods(release);
    for (const pod of pods) {
      const container = pod.spec.containers.find((c) => c.name === 'toolman');
      expect(container?.image, `image of container toolman in ${pod.metadata.name}`).toBe(wanted);
    }
    if (digest !== undefined) await expect(imageIdMatches(pods, 'toolman', digest)).toHold();
    observe(`${wanted}${digest === undefined ? '' : ` = ${digest}`}`);
  },
);

requirement('T-40', 'has every container of every pod ready', async ({ release }) => {
  await expect(release.deployment('toolman')).toHaveAllContainersReady();
});

requirement(
  'T-39',
  'selects exactly its own pods by app.kubernetes.io/name=toolman',
  async ({ release, kube, observe }) => {
    const labelSelector = 'app.kubernetes.io/name=toolman';
    const selected = await kube.list('Pod', { namespace: release.namespace, labelSelector });
    const result = selectorSelectsExactly(labelSelector, selected, await serverPods(release));
    await expect(result).toHold();
    observe(result.actual);
  },
);

requirement(
  'T-05',
  'prepares /data/projects in an init container that succeeds at the first attempt',
  async ({ release, observe }) => {
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
      const write = await release.exec(pod, ['sh', '-c', `touch ${probe} && rm ${probe}`], 'toolman');
      expect(write.stderr, `writing to /data/projects in ${name}`).toBe('');
      expect(write.exitCode).toBe(0);
      observe(`${name}: ${inits.map((c) => c.name).join(', ')} exit 0, /data/projects writable by toolman`);
    }
  },
);

requirement(
  ['T-21', 'X-01'],
  'routes its Service to exactly its ready pods',
  async ({ release, kube, observe }) => {
    const { namespace } = release;
    // EndpointSlices follow the readiness of pods with a delay.
    const result = await eventually(async () => {
      const labelSelector = 'kubernetes.io/service-name=toolman';
      const slices = await kube.list('EndpointSlice', { namespace, labelSelector });
      return endpointsMatch(await release.service('toolman'), slices, await serverPods(release));
    });
    await expect(result).toHold();
    observe(result.actual);
  },
);

requirement('T-22', 'answers by its DNS name from another namespace', async ({ release, lab, observe }) => {
  const client = await startClientPod(lab);
  const host = `toolman.${release.namespace}.svc.cluster.local`;
  const service = await release.service('toolman');
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
