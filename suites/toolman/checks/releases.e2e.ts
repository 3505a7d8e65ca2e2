/** Further releases: a second one in the same namespace, the chart's own values, the Kubernetes server, a spread by constraint. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { unknownValues } from '../../../harness/kube/helm/unknown-values.ts';
import { existsOnce } from '../../../harness/kube/manifests/model/exists-once.ts';
import { hookEvents, nameOf } from '../../../harness/kube/manifests/objects.ts';
import { endpointsMatch } from '../../../harness/observe/predicates/live/endpoints.ts';
import { mounts } from '../../../harness/observe/predicates/live/mounts.ts';
import type { PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { eventReported } from '../../../harness/observe/waits/events.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Lab, RenderOptions } from '../../../harness/run/suite/lab.ts';
import { valueBehind } from '../../../harness/run/suite/value-behind.ts';
import { requirement } from '../kit.ts';
import { withReplicas } from '../means.ts';
import { claimIn, claimOf, renderedServer, serverIn, serverOf, serviceOf, storageOf } from '../server.ts';
import { serverPod, serverPods } from '../server-pods.ts';

const SECOND = 'second';
const HOSTNAME = 'kubernetes.io/hostname';

requirement(
  'T-66',
  'can be installed twice in one namespace, and each Service leads to the pods of its own release',
  { release: 'none', releases: 2, disruptive: true, typicalMs: 50_000 },
  async ({ lab, kube, observe }) => {
    const patches = withReplicas(await renderedServer(lab), 1);
    const second = { releaseName: SECOND, set: await ownNames(lab) };
    await needTwice(lab, second);
    const one = await lab.install({ patches });
    const patchesOfSecond = withReplicas(await renderedServer(lab, second), 1);
    const two = await lab.install({ ...second, namespace: one.namespace, patches: patchesOfSecond });
    await one.rolledOut();
    for (const release of [one, two]) {
      const { namespace } = serverIn(release);
      const leadsToOwn = async (): Promise<PredicateResult> =>
        endpointsMatch(
          await release.liveService(serviceOf(release)),
          await kube.list('EndpointSlice', { namespace }),
          await serverPods(release),
        );
      await expect(eventually(leadsToOwn)).toHold();
    }
    observe(`releases ${one.name} and ${two.name} in namespace ${one.namespace}`);
  },
);

/** What the documents ask to set for a second release, because the names are fixed; of that, what the chart has. */
async function ownNames(lab: Lab): Promise<string[]> {
  const pairs = [`config.name=${SECOND}-servers-config`, 'toolCatalog.create=false'];
  const unknown = await unknownValues(lab.source(), pairs);
  return pairs.filter((pair) => !unknown.includes(pair));
}

/** @throws DoesNotFit when the cluster or the namespace can have only one of an object: X-30 is about that */
async function needTwice(lab: Lab, second: RenderOptions): Promise<void> {
  const namespace = 'default';
  const rendered = async (options: RenderOptions): Promise<KubeObject[]> =>
    (await lab.render({ ...options, namespace })).objects.filter((object) => hookEvents(object).length === 0);
  const [one, two] = [await rendered({}), await rendered(second)];
  const names = new Set(two.map(nameOf));
  const [reason] = [
    ...one.filter((object) => names.has(nameOf(object))).map((object) => `both have ${nameOf(object)}`),
    ...existsOnce(one, { namespace })
      .filter(({ why }) => why === 'host-port' || why === 'node-port')
      .map(({ object, says }) => `${object} ${says}`),
  ];
  if (reason !== undefined)
    throw new DoesNotFit(`two releases of the chart cannot be in one namespace: ${reason}`);
}

requirement(
  'TA-09',
  'runs one replica with its default values',
  { release: 'none', disruptive: true },
  async ({ lab }) => {
    const release = await lab.install({ onlyChart: true });
    await expect(serverOf(release)).toHaveAvailableReplicas(1);
  },
);

requirement(
  ['TA-03', 'TA-04', 'TA-14'],
  'prepares kubeconfig, npm cache and Docker folder for the Kubernetes server, from all four kinds of volumes',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace();
    const content = 'apiVersion: v1\nkind: Config\n';
    await kube.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'kubeconfig', namespace },
      stringData: { config: content },
    });
    const release = await lab.install({
      namespace,
      patches: withReplicas(await renderedServer(lab), 1),
      set: ['kubernetesServer.enabled=true', 'kubernetesServer.kubeconfig.secretName=kubeconfig'],
    });
    const pod = await serverPod(release);
    const main = serverIn(release).container.name;
    const kinds = (pod.spec.volumes ?? []).flatMap((volume) =>
      (['configMap', 'persistentVolumeClaim', 'emptyDir', 'secret'] as const).filter((kind) => volume[kind]),
    );
    expect([...new Set(kinds)].toSorted(), 'kinds of the volumes').toEqual([
      'configMap',
      'emptyDir',
      'persistentVolumeClaim',
      'secret',
    ]);
    const stat = async (path: string): Promise<string> =>
      (await release.output(pod, ['stat', '-c', '%a %u:%g', path], main)).trim();
    expect(await stat('/data/.kube/config'), 'mode and owner of /data/.kube/config').toBe('600 1001:2375');
    expect(
      await release.output(pod, ['cat', '/data/.kube/config'], main),
      'content of /data/.kube/config',
    ).toBe(content);
    expect((await stat('/data/docker-data')).split(' ')[1], 'owner of /data/docker-data').toMatch(/^0:/);
    const written = await release.exec(
      pod,
      ['sh', '-c', 'touch /home/mcp/.npm/x && rm /home/mcp/.npm/x'],
      main,
    );
    expect(written.stderr, 'writing to /home/mcp/.npm').toBe('');
    for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
      const secret = pod.spec.volumes?.find((volume) => volume.secret)?.name;
      for (const mount of (container.volumeMounts ?? []).filter(({ name }) => name === secret))
        expect(mount.readOnly, `readOnly of the Secret in container ${container.name}`).toBe(true);
    }
    await expect(
      mounts(await release.output(pod, ['cat', '/proc/1/mounts'], main), [
        { path: '/data' },
        { path: '/home/mcp' },
      ]),
    ).toHold();
    observe(`${pod.metadata.name}: ${[...new Set(kinds)].join(', ')}`);
  },
);

requirement(
  'TA-24',
  'spreads its replicas as its topology spread constraint says',
  { release: 'none', disruptive: true },
  async ({ lab }) => {
    const release = await lab.install({
      patches: withReplicas(await renderedServer(lab), 3),
      set: [
        // Otherwise the preference would spread them.
        'affinity=null',
        'topologySpreadConstraints[0].maxSkew=1',
        `topologySpreadConstraints[0].topologyKey=${HOSTNAME}`,
        'topologySpreadConstraints[0].whenUnsatisfiable=DoNotSchedule',
      ],
    });
    await expect(serverOf(release)).toBeSpreadOver(HOSTNAME, { maxSkew: 1 });
  },
);

requirement(
  'T-52',
  'waits for a storage class that does not exist, and the claim says so',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const server = await renderedServer(lab);
    const claimed = claimIn(server.rendered);
    const value = await valueBehind(lab, {
      documented: 'persistence.storageClass',
      sets: `the class of the claim of ${server.workload.title}`,
      read: (rendered) => storageOf(claimIn(rendered)).storageClass,
      other: 'none-such',
    });
    const release = await lab.install({
      patches: withReplicas(server, 1),
      set: [`${value}=none-such`, ...(claimed ? [] : ['persistence.enabled=true'])],
      rollout: false,
    });
    const { name: claim, namespace } = claimOf(release);
    const isBound = async (): Promise<string | undefined> => {
      const live = await kube.get('PersistentVolumeClaim', { name: claim, namespace });
      const { phase } = (live?.['status'] ?? {}) as { phase?: string };
      return phase === 'Bound' ? `claim ${claim} is bound, to another class` : undefined;
    };
    const message = await eventReported(
      kube,
      namespace,
      {
        reason: 'ProvisioningFailed',
        message: 'none-such',
        about: { kind: 'PersistentVolumeClaim', name: claim },
      },
      { timeoutMs: 90_000, unless: isBound },
    );
    expect(message, `why claim ${claim} waits`).toContain('none-such');
    observe(message);
  },
);

requirement(
  'T-52',
  'renders no claim for its data without persistence',
  { release: 'none', static: true },
  async ({ lab }) => {
    const { rendered } = await renderedServer(lab, { set: ['persistence.enabled=false'] });
    expect(claimIn(rendered)?.name, 'claim without persistence').toBeUndefined();
  },
);
