/** The configuration reaches every replica byte for byte, and a missing one is reported. */
import { z } from 'zod';
import { configMapEquals } from '../../../harness/observe/predicates/live/config.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { nameOf } from '../../../harness/kube/manifests/objects.ts';
import { modelOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import type { ManifestPatch } from '../../../harness/kube/manifests/patch.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { parseJsonOf } from '../../../harness/run/suite/shape.ts';
import { mountFailed } from '../failed-mount.ts';
import { requirement } from '../kit.ts';
import { withReplicas } from '../means.ts';
import { configurationOf, credentialsOf, DOCUMENTED, renderedServer, serverIn } from '../server.ts';
import { serverPod, serverPods } from '../server-pods.ts';

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

requirement('T-07', 'mounts the server definitions from a ConfigMap volume', async ({ release, observe }) => {
  const { file } = configurationOf(release);
  const { container } = serverIn(release);
  for (const pod of await serverPods(release)) {
    const content = await release.output(pod, ['cat', file], container.name);
    expect(content.length, `${file} in ${pod.metadata.name}`).toBeGreaterThan(0);
    observe(`${pod.metadata.name}: ${file} has ${content.length} bytes`);
  }
});

requirement(
  'T-07',
  'calls the volume of the server definitions config',
  { release: 'none', static: true, names: true },
  async ({ lab }) => {
    const { volume } = configurationOf(await lab.subject());
    expect(volume, 'name of the volume').toBe(DOCUMENTED.configVolume);
  },
);

requirement(
  ['T-42', 'T-48'],
  'has the exact content of the ConfigMap in every replica, valid for the application',
  async ({ release, kube, observe }) => {
    const { namespace, container } = serverIn(release);
    const { name, key, file } = configurationOf(release);
    const configMap = await kube.get('ConfigMap', { name, namespace });
    if (!configMap) throw new CheckFailure('E_NOT_FOUND', `ConfigMap ${name} does not exist in ${namespace}`);
    const pods = await serverPods(release);
    const mounted = await Promise.all(
      pods.map(async (pod) => ({
        pod: pod.metadata.name,
        files: { [key]: await release.output(pod, ['cat', file], container.name) },
      })),
    );
    await expect(configMapEquals(configMap, mounted)).toHold();
    for (const { pod, files } of mounted) {
      const parsed = serversConfig.safeParse(parseJsonOf(files[key] ?? '', `${file} in ${pod}`));
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
    const { configMap } = DOCUMENTED;
    const mounted = modelOf(release.objects, release).workloads.flatMap(({ configuration }) =>
      configuration.filter(({ kind, use }) => kind === 'ConfigMap' && use !== 'environment'),
    );
    expect([...new Set(mounted.map(({ name }) => name))], 'ConfigMaps that pods mount').toContain(configMap);
    // A worker may mount it, too.
    const { namespace, object } = serverIn(release);
    expect(configurationOf(release).name, `ConfigMap that ${nameOf(object)} mounts`).toBe(configMap);
    const live = await kube.get('ConfigMap', { name: configMap, namespace });
    expect(live?.metadata.name, 'ConfigMap in the cluster').toBe(configMap);
    observe(`volume of ${configMap}, which exists`);
  },
);

requirement(
  'T-20',
  'stays in ContainerCreating with FailedMount naming the ConfigMap when it is missing',
  { release: 'none', disruptive: true },
  async ({ lab, observe }) => {
    const server = await renderedServer(lab);
    const { name } = configurationOf(server.rendered);
    const missing: ManifestPatch = {
      target: { kind: 'ConfigMap', name },
      ops: [{ op: 'replace', path: '/metadata/name', value: 'another-one' }],
    };
    // Missing from the start: a kubelet may still have a deleted ConfigMap in its cache when it starts the next pod.
    const release = await lab.install({
      patches: [...withReplicas(server, 1), missing],
      rollout: false,
    });
    const message = await mountFailed(release, `"${name}" not found`);
    for (const pod of await serverPods(release)) {
      expect(pod.status?.phase, `phase of ${pod.metadata.name}`).toBe('Pending');
      observe(`${pod.metadata.name} is Pending: ${message}`);
    }
  },
);

requirement(
  'T-15',
  'takes credentials only from a Secret, starts without an optional one, and uses a changed one after a restart',
  { release: 'none', disruptive: true, timeoutMs: 480_000, typicalMs: 60_000 },
  async ({ lab, kube, observe }) => {
    const server = await renderedServer(lab);
    credentialsOf(server.container, server.workload);
    const release = await lab.install({ patches: withReplicas(server, 1) });
    const { namespace, container } = serverIn(release);
    const variable = container.env?.find((e) => e.valueFrom?.['secretKeyRef'] !== undefined);
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
      await lab.replacePods(release, await serverPods(release));
      const environ = await release.output(
        await serverPod(release),
        ['cat', '/proc/1/environ'],
        container.name,
      );
      expect(environ.split('\0'), 'environment of the main process').toContain(
        `${variable?.name ?? ''}=${secret}`,
      );
      const stored = [
        ...(await lab.helm.getManifest({ releaseName: release.name, namespace: release.namespace })),
        ...(await kube.list('Deployment', { namespace })),
        ...(await kube.list('ConfigMap', { namespace })),
      ];
      const leaks = stored.filter((o) => JSON.stringify(o).includes(secret)).map(nameOf);
      await expect(nothingWrong('the credential is in the Secret only', leaks)).toHold();
    }
    observe(`${variable?.name ?? ''} from Secret ${name}: absent at first, then set, then changed`);
  },
);
