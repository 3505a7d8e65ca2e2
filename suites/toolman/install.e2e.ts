/** The release is installed, its replicas are there, ready, reachable, and no others. */
import { endpointsMatch } from '../../harness/checks/live-endpoints.ts';
import { imageIdMatches } from '../../harness/checks/live-image.ts';
import { selectorSelectsExactly } from '../../harness/checks/live-workload.ts';
import { containerStatus, mainContainer } from '../../harness/suite/release.ts';
import { expect } from '../../harness/suite/assertions.ts';
import { requirement } from './kit.ts';
import { probePod } from './probe-pod.ts';

requirement(
  'T-02',
  'installs into a fresh namespace as release and Deployment toolman',
  async ({ release, lab, observe }) => {
    const status = await lab.helm.status({ releaseName: release.name, namespace: release.namespace });
    expect(status?.status, 'status of the release').toBe('deployed');
    expect((await release.deployment('toolman').read()).metadata.name).toBe('toolman');
    observe(`release ${release.name} revision ${status?.revision ?? 0} is deployed`);
  },
);

requirement(
  ['T-28', 'T-50'],
  'has as many ready and available replicas as it asks for: 3',
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
    const image = values['image'] as { repository?: string; tag?: string };
    const wanted = `${image.repository ?? ''}:${image.tag ?? ''}`;
    const digest = subject.images.find((i) => i.ref === wanted)?.digest;
    const pods = await release.pods();
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
    const verdict = selectorSelectsExactly(labelSelector, selected, await release.pods());
    await expect(verdict).toHold();
    observe(verdict.actual);
  },
);

requirement(
  'T-05',
  'prepares /data/projects in an init container that succeeds at once',
  async ({ release, observe }) => {
    for (const pod of await release.pods()) {
      const [init] = pod.spec.initContainers ?? [];
      expect(init, `an init container in ${pod.metadata.name}`).toBeDefined();
      if (!init) continue;
      const status = containerStatus(pod, init.name);
      expect(status.state?.terminated?.exitCode, `exit code of init container ${init.name}`).toBe(0);
      expect(status.restartCount, `restarts of init container ${init.name}`).toBe(0);
      const probe = `/data/projects/.kindproof-${pod.metadata.name}`;
      const write = await release.exec(pod, ['sh', '-c', `touch ${probe} && rm ${probe}`]);
      expect(write.stderr, `writing to /data/projects in ${pod.metadata.name}`).toBe('');
      expect(write.exitCode).toBe(0);
      observe(`${pod.metadata.name}: ${init.name} exit 0, /data/projects writable by ${mainContainer(pod)}`);
    }
  },
);

requirement(
  ['T-21', 'X-01'],
  'routes its Service to exactly its ready pods',
  async ({ release, kube, observe }) => {
    const service = await release.service('toolman');
    const slices = await kube.list('EndpointSlice', {
      namespace: release.namespace,
      labelSelector: `kubernetes.io/service-name=${service.metadata.name}`,
    });
    const verdict = endpointsMatch(service, slices, await release.pods());
    await expect(verdict).toHold();
    observe(verdict.actual);
  },
);

requirement('T-22', 'answers by its DNS name from another namespace', async ({ release, lab, observe }) => {
  const client = await probePod(lab);
  const host = `toolman.${release.namespace}.svc.cluster.local`;
  const port = (await release.service('toolman')).spec.ports?.[0]?.port ?? 0;
  const lookup = await client.run(['busybox', 'nslookup', host]);
  expect(lookup.exitCode, `nslookup ${host}: ${lookup.stdout}${lookup.stderr}`).toBe(0);
  const answer = await client.httpGet(host, port, '/health');
  expect(answer, `GET http://${host}:${port}/health`).toMatch(/^HTTP\/1\.[01] 200 /);
  observe(`${host} resolves and answers 200 from namespace ${client.namespace}`);
});
