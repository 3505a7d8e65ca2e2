/** The configuration reaches every replica byte for byte, and a missing one is reported. */
import { z } from 'zod';
import { configMapEquals } from '../../../harness/observe/predicates/live/config.ts';
import { NameMissing } from '../../../harness/core/errors.ts';
import { eventReported } from '../../../harness/observe/waits/events.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { nameOf, podSpecOf } from '../../../harness/kube/manifests/objects.ts';
import type { ManifestPatch } from '../../../harness/kube/manifests/patch.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { parseJsonOf } from '../../../harness/run/suite/shape.ts';
import { requirement } from '../kit.ts';
import { serverPods } from '../server-pods.ts';

const CONFIG_MAP = 'toolman-servers-config';
const FILE = '/config/servers-config.json';

const MISSING_CONFIG_MAP: ManifestPatch[] = [
  {
    target: { kind: 'ConfigMap', name: CONFIG_MAP },
    ops: [{ op: 'replace', path: '/metadata/name', value: 'another-one' }],
  },
];

/** What the application reads; a server may have other keys. */
const serversConfig = z.object({
  servers: z.record(
    z.string(),
    z.looseObject({
      transport: z.enum(['stdio', 'http', 'sse']).optional(),
      command: z.string().optional(),
      args: z.array(z.string()).optional(),
      url: z.string().optional(),
      env: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

requirement(
  'T-07',
  'mounts the server definitions from a ConfigMap volume named config',
  async ({ release, observe }) => {
    const spec = podSpecOf(release.rendered('Deployment', 'toolman'));
    const volume = spec?.volumes?.find((v) => v.name === 'config');
    expect(volume?.configMap, 'volume config is a ConfigMap volume').toBeDefined();
    for (const pod of await serverPods(release)) {
      const content = await release.output(pod, ['cat', FILE], 'toolman');
      expect(content.length, `${FILE} in ${pod.metadata.name}`).toBeGreaterThan(0);
      observe(`${pod.metadata.name}: ${FILE} has ${content.length} bytes`);
    }
  },
);

requirement(
  ['T-42', 'T-48'],
  'has the exact content of the ConfigMap in every replica, valid for the application',
  async ({ release, kube, observe }) => {
    const { namespace } = release;
    const configMap = await kube.get('ConfigMap', { name: CONFIG_MAP, namespace });
    if (!configMap) throw new NameMissing(`ConfigMap ${CONFIG_MAP} does not exist in namespace ${namespace}`);
    const pods = await serverPods(release);
    const mounted = await Promise.all(
      pods.map(async (pod) => ({
        pod: pod.metadata.name,
        files: { 'servers-config.json': await release.output(pod, ['cat', FILE], 'toolman') },
      })),
    );
    await expect(configMapEquals(configMap, mounted)).toHold();
    for (const { pod, files } of mounted) {
      const parsed = serversConfig.safeParse(parseJsonOf(files['servers-config.json'], `${FILE} in ${pod}`));
      expect(
        parsed.success ? [] : parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`),
        pod,
      ).toEqual([]);
      if (parsed.success) observe(`${pod}: ${Object.keys(parsed.data.servers).length} servers`);
    }
  },
);

requirement(
  'T-20',
  'mounts ConfigMap toolman-servers-config under exactly that name',
  { names: true },
  async ({ release, kube, observe }) => {
    const spec = podSpecOf(release.rendered('Deployment', 'toolman'));
    const named = spec?.volumes?.flatMap((v) => (v.configMap ? [v.configMap.name] : []));
    expect(named, 'ConfigMaps that the pod mounts').toContain(CONFIG_MAP);
    const live = await kube.get('ConfigMap', { name: CONFIG_MAP, namespace: release.namespace });
    expect(live?.metadata.name, 'ConfigMap in the cluster').toBe(CONFIG_MAP);
    observe(`volume of ${CONFIG_MAP}, which exists`);
  },
);

requirement(
  'T-20',
  'stays in ContainerCreating with FailedMount naming the ConfigMap when it is missing',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    // Missing from the start: a kubelet may still have a deleted ConfigMap in its cache when it starts the next pod.
    const release = await lab.install({
      set: ['replicaCount=1'],
      patches: MISSING_CONFIG_MAP,
      rollout: false,
    });
    const { namespace } = release;
    const message = await eventReported(
      kube,
      namespace,
      { reason: 'FailedMount', message: CONFIG_MAP },
      {
        timeoutMs: 90_000,
        unless: async () => {
          const [pod] = await kube.list('Pod', { namespace });
          return pod?.status?.phase === 'Running' ? `${pod.metadata.name} has started without it` : undefined;
        },
      },
    );
    for (const { metadata, status } of await release.pods()) {
      expect(status?.phase, `phase of ${metadata.name}`).toBe('Pending');
      observe(`${metadata.name} is Pending: ${message}`);
    }
  },
);

requirement(
  'T-15',
  'takes credentials only from a Secret, starts without an optional one, and uses a changed one after a restart',
  { release: 'none', disruptive: true, timeoutMs: 480_000 },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ set: ['replicaCount=1'] });
    const { namespace } = release;
    const deployment = release.rendered('Deployment', 'toolman');
    const variable = podSpecOf(deployment)
      ?.containers.find(({ name }) => name === 'toolman')
      ?.env?.find((e) => e.valueFrom?.['secretKeyRef'] !== undefined);
    const reference = variable?.valueFrom?.['secretKeyRef'];
    await expect(
      nothingWrong('a variable from a Secret', reference ? [] : ['the pod takes nothing from a Secret']),
    ).toHold();
    const name = reference?.name ?? '';
    const key = reference?.key ?? '';
    for (const secret of ['canary-one-7f3a', 'canary-two-9b1c']) {
      await kube.apply(
        { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, stringData: { [key]: secret } },
        { namespace },
      );
      const successor = await lab.replacePods(release);
      const environ = await release.output(successor, ['cat', '/proc/1/environ'], 'toolman');
      expect(environ.split('\0'), 'environment of the main process').toContain(
        `${variable?.name ?? ''}=${secret}`,
      );
      const stored = [
        ...(await lab.helm.getManifest({ releaseName: release.name, namespace })),
        ...(await kube.list('Deployment', { namespace })),
        ...(await kube.list('ConfigMap', { namespace })),
      ];
      const leaks = stored.filter((o) => JSON.stringify(o).includes(secret)).map(nameOf);
      await expect(nothingWrong('the credential is in the Secret only', leaks)).toHold();
    }
    observe(`${variable?.name ?? ''} from Secret ${name}: absent at first, then set, then changed`);
  },
);
