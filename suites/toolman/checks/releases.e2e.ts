/** Further releases: a second one in the same namespace, the chart's own values, the Kubernetes server, a spread by constraint. */
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { eventReported } from '../../../harness/observe/waits/events.ts';
import { mounts } from '../../../harness/observe/predicates/live/mounts.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { find } from '../../../harness/kube/manifests/objects.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { requirement } from '../kit.ts';
import { mainOf } from '../rendered-server.ts';
import { serverPod, serverPods } from '../server-pods.ts';

const SECOND = 'second';
const HOSTNAME = 'kubernetes.io/hostname';

requirement(
  'T-66',
  'can be installed twice in one namespace, and each Service leads to the pods of its own release',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const one = await lab.install({ set: ['replicaCount=1'] });
    const two = await lab.install({
      namespace: one.namespace,
      releaseName: SECOND,
      set: ['replicaCount=1', `config.name=${SECOND}-servers-config`, 'toolCatalog.create=false'],
    });
    await one.rolledOut();
    const apart = await eventually(async () => {
      const complaints = [...(await ledAstray(kube, one)), ...(await ledAstray(kube, two))];
      return nothingWrong('each Service leads to the pods of its own release', complaints);
    });
    await expect(apart).toHold();
    observe(`releases ${one.name} and ${two.name} in namespace ${one.namespace}`);
  },
);

/** Pods of others behind the Service of a release, and own pods that are not. */
async function ledAstray(kube: KubeClient, release: Release): Promise<string[]> {
  const { name } = (await release.service()).metadata;
  const labelSelector = `kubernetes.io/service-name=${name}`;
  const slices = await kube.list('EndpointSlice', { namespace: release.namespace, labelSelector });
  const found = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .map(({ targetRef }) => targetRef?.name ?? 'no pod');
  const own = (await serverPods(release)).map(({ metadata }) => metadata.name);
  return [
    ...found
      .filter((pod) => !own.includes(pod))
      .map((pod) => `Service ${name} leads to ${pod} of another release`),
    ...own
      .filter((pod) => !found.includes(pod))
      .map((pod) => `Service ${name} does not lead to its own pod ${pod}`),
  ];
}

requirement(
  'TA-09',
  'runs one replica with its default values',
  { release: 'none', disruptive: true },
  async ({ lab }) => {
    const release = await lab.install({ onlyChart: true });
    await expect(release.deployment()).toHaveAvailableReplicas(1);
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
      set: [
        'replicaCount=1',
        'kubernetesServer.enabled=true',
        'kubernetesServer.kubeconfig.secretName=kubeconfig',
      ],
    });
    const pod = await serverPod(release);
    const main = mainOf(pod.spec).name;
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
      set: [
        'replicaCount=3',
        // Otherwise the preference would spread them.
        'affinity=null',
        'topologySpreadConstraints[0].maxSkew=1',
        `topologySpreadConstraints[0].topologyKey=${HOSTNAME}`,
        'topologySpreadConstraints[0].whenUnsatisfiable=DoNotSchedule',
      ],
    });
    await expect(release.deployment()).toBeSpreadOver(HOSTNAME, { maxSkew: 1 });
  },
);

requirement(
  'T-52',
  'waits for a storage class that does not exist, and the claim says so',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({
      set: ['replicaCount=1', 'persistence.enabled=true', 'persistence.storageClass=none-such'],
      rollout: false,
    });
    const { namespace } = release;
    const claim = release.rendered('PersistentVolumeClaim').metadata.name;
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
    const { objects } = await lab.render({ set: ['persistence.enabled=false'] });
    expect(find(objects, 'PersistentVolumeClaim'), 'claim without persistence').toBeUndefined();
    observe(message);
  },
);
