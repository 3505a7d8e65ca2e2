/** One release of the chart is installed, as its manifests say, and its configuration reaches every pod. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { hookEvents, isHelmTest, nameOf, ofKind } from '../../../harness/kube/manifests/objects.ts';
import type { UsedConfiguration } from '../../../harness/kube/manifests/model/model.ts';
import { modelOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { hasPlacementRules } from '../../../harness/observe/predicates/live/placed-as-rendered.ts';
import { endpointsMatch } from '../../../harness/observe/predicates/live/endpoints.ts';
import { resourcesAre } from '../../../harness/observe/predicates/rendered/resources.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { needHelmChart } from '../../any-chart/subject-form.ts';
import { requirement } from '../kit.ts';
import { environmentOf, handleOf, serverOf, serverPods, serviceOf } from '../server.ts';

requirement(
  'M-13',
  'has as many available replicas as its values ask for',
  { first: true },
  async ({ release }) => {
    const { replicas } = serverOf(release).model;
    if (!replicas || replicas.least !== replicas.most)
      throw new DoesNotFit('the manifests of the server state no fixed number of replicas');
    await expect(handleOf(release)).toHaveAvailableReplicas(replicas.least);
  },
);

const OWNER_LABELS = ['app.kubernetes.io/instance', 'app.kubernetes.io/managed-by'] as const;

requirement(
  'M-24',
  'creates ConfigMap, workload and Service, labelled as one release, and the ConfigMap before the first pod',
  async ({ release, kube, observe }) => {
    const { namespace } = release;
    const wanted = release.objects.filter((object) => hookEvents(object).length === 0);
    const live: KubeObject[] = [];
    const absent: string[] = [];
    for (const object of wanted) {
      const { apiVersion, kind, metadata } = object;
      const found = await kube.get({ apiVersion, kind }, { name: metadata.name, namespace });
      if (found) live.push({ ...found, kind });
      else absent.push(`${nameOf(object)} does not exist`);
    }
    await expect(nothingWrong('every rendered object exists', absent)).toHold();
    const labelled = serverOf(release).model.object.metadata.labels ?? {};
    const wrong = OWNER_LABELS.flatMap((key) =>
      live
        .filter(({ metadata }) => metadata.labels?.[key] !== labelled[key])
        .map(
          (object) =>
            `${nameOf(object)} has ${key}=${object.metadata.labels?.[key] ?? 'nothing'}, and the server ${labelled[key] ?? 'nothing'}`,
        ),
    );
    await expect(nothingWrong('all objects have the same owner labels', wrong)).toHold();
    const maps = ofKind(live, 'ConfigMap');
    const pods = await serverPods(release);
    const firstPod = Math.min(...pods.map(createdAt));
    const late = maps
      .filter((map) => createdAt(map) > firstPod)
      .map((map) => `${nameOf(map)} was created after the first pod`);
    await expect(nothingWrong('every ConfigMap is older than the first pod', late)).toHold();
    observe(live.map(nameOf).join(', '));
  },
);

function createdAt({ metadata }: KubeObject): number {
  return Date.parse(metadata.creationTimestamp ?? '');
}

requirement(
  'M-04',
  'brings every entry of its ConfigMaps into the server, as variable or file',
  async ({ release, observe }) => {
    const maps = ofKind(release.objects, 'ConfigMap');
    if (maps.length === 0) throw new DoesNotFit('the chart renders no ConfigMap');
    const { configuration } = serverOf(release).model;
    const uses = configuration.filter(({ kind, object }) => kind === 'ConfigMap' && object !== undefined);
    const users = modelOf(release.objects, release).workloads.flatMap((workload) => workload.configuration);
    const unused = maps
      .filter(
        ({ metadata }) => !users.some(({ kind, name }) => kind === 'ConfigMap' && name === metadata.name),
      )
      .map((map) => `no container uses ${nameOf(map)}`);
    await expect(nothingWrong('every ConfigMap is used', unused)).toHold();
    const complaints: string[] = [];
    for (const pod of await serverPods(release)) {
      const environment = await environmentOf(release, pod);
      for (const use of uses)
        complaints.push(...(await missingEntries(release, pod.metadata.name, use, environment)));
    }
    await expect(nothingWrong('every pod has every entry', complaints)).toHold();
    observe(uses.map(({ name, use }) => `${name}: ${use}`).join(', '));
  },
);

/** What of a ConfigMap a pod of the server does not have. */
async function missingEntries(
  release: Release,
  podName: string,
  { name, object, use, container }: UsedConfiguration,
  environment: ReadonlyMap<string, string>,
): Promise<string[]> {
  const server = serverOf(release);
  if (container !== server.container.name) return [];
  const data = (object?.['data'] ?? {}) as Record<string, string>;
  if (use === 'environment') {
    if (!(server.container.envFrom ?? []).some(({ configMapRef }) => configMapRef?.name === name)) return [];
    return Object.entries(data)
      .filter(([key, value]) => environment.get(key) !== value.split('\n')[0])
      .map(([key]) => `${podName} has not ${key} of ConfigMap ${name} in its environment`);
  }
  const volume = server.model.template.spec.volumes?.find(({ configMap }) => configMap?.name === name);
  const mount = server.container.volumeMounts?.find((one) => one.name === volume?.name);
  if (!mount || mount.subPath !== undefined || volume?.configMap?.items) return [];
  const pod = (await serverPods(release)).find(({ metadata }) => metadata.name === podName);
  if (!pod) return [];
  const complaints: string[] = [];
  for (const [key, value] of Object.entries(data)) {
    const content = await release.output(pod, ['cat', `${mount.mountPath}/${key}`], container);
    if (content !== value) complaints.push(`${podName} has another content in ${mount.mountPath}/${key}`);
  }
  return complaints;
}

requirement(
  ['M-15', 'M-43'],
  'has every variable of its manifest in the process, those from Secrets included',
  async ({ release, kube, observe }) => {
    const { container } = serverOf(release);
    const { namespace } = release;
    const variables = container.env ?? [];
    if (variables.length === 0) throw new DoesNotFit('the server has no environment variables');
    const wanted = new Map<string, string>();
    for (const { name, value, valueFrom } of variables) {
      const { name: secret, key } = valueFrom?.['secretKeyRef'] ?? {};
      if (value !== undefined && !value.includes('$(')) wanted.set(name, value);
      if (secret === undefined || key === undefined) continue;
      const held = (await kube.get('Secret', { name: secret, namespace }))?.data?.[key];
      if (held !== undefined) wanted.set(name, Buffer.from(held, 'base64').toString());
    }
    const complaints: string[] = [];
    for (const pod of await serverPods(release)) {
      const environment = await environmentOf(release, pod);
      for (const [name, value] of wanted) {
        if (environment.get(name) === value.split('\n')[0]) continue;
        // Not the values: one of them may be a credential.
        complaints.push(
          `${pod.metadata.name} ${environment.has(name) ? 'has another value of' : 'lacks'} ${name}`,
        );
      }
    }
    await expect(nothingWrong('every pod has every variable', complaints)).toHold();
    observe([...wanted.keys()].join(', '));
  },
);

requirement(
  ['M-45', 'M-19'],
  'leads with its Service to its own pods only, beside a second server with other resources',
  async ({ release, lab, kube, observe }) => {
    const { namespace } = release;
    const limits = { memory: '97Mi', cpu: '350m' };
    const set = Object.entries(limits).map(([name, quantity]) => `resources.limits.${name}=${quantity}`);
    const other = await lab.install({ namespace, releaseName: 'other', set: ['replicaCount=1', ...set] });
    for (const one of [release, other]) {
      const service = serviceOf(one);
      // EndpointSlices follow the readiness of pods with a delay.
      const result = await eventually(async () => {
        const labelSelector = `kubernetes.io/service-name=${service.metadata.name}`;
        const slices = await kube.list('EndpointSlice', { namespace, labelSelector });
        return endpointsMatch(await one.service(service.metadata.name), slices, await serverPods(one));
      });
      await expect(result).toHold();
      const { container } = serverOf(one);
      const live = { ...(await handleOf(one).read()), kind: handleOf(one).kind };
      await expect(resourcesAre(live, container.name, container.resources ?? {})).toHold();
    }
    const { requests } = serverOf(other).container.resources ?? {};
    await expect(
      resourcesAre(serverOf(other).model.object, serverOf(other).container.name, {
        ...(requests && { requests }),
        limits,
      }),
    ).toHold();
    observe(`${nameOf(serverOf(release).model.object)} and ${nameOf(serverOf(other).model.object)}`);
  },
);

requirement('M-46', 'has its replicas on different nodes, as its affinity asks for', async ({ release }) => {
  const { model } = serverOf(release);
  if (!hasPlacementRules(model)) throw new DoesNotFit('the server has no rule for the place of its pods');
  if ((model.replicas?.least ?? 0) < 2) throw new DoesNotFit('the server has one replica');
  await expect(handleOf(release)).toBeSpreadOver('kubernetes.io/hostname', { maxSkew: 1 });
});

requirement(
  // Also X-23: a second helm test of the same release at the same time would delete the pod of this one.
  ['M-10', 'X-23'],
  'passes its own test (helm test), with a pod that really ran',
  { timeoutMs: 420_000 },
  async ({ release, lab, subject, observe }) => {
    await needHelmChart(subject);
    const tests = release.objects.filter(isHelmTest);
    expect(tests.length, 'pods and Jobs of helm test that the chart renders').toBeGreaterThan(0);
    const { name, namespace } = release;
    const failure = await lab.helm.test({ releaseName: name, namespace }, { timeoutMs: 180_000 });
    await expect(
      nothingWrong(
        `helm test ${name} passes`,
        failure === undefined ? [] : [await withLastWords(release, tests, failure)],
      ),
    ).toHold();
    // Helm deletes the pods of tests that passed; the recording has them.
    const recording = await release.settleRecording();
    const ran = recording
      .pods()
      .filter(({ metadata }) => tests.some((test) => test.metadata.name === metadata.name))
      .filter(({ status }) => status?.phase === 'Succeeded');
    expect(ran.length, 'pods of helm test that ran to their end').toBeGreaterThan(0);
    observe(ran.map(({ metadata }) => metadata.name).join(', '));
  },
);

/** Helm's own words name only the pod; its log has the reason. */
async function withLastWords(
  release: Release,
  tests: readonly KubeObject[],
  failure: string,
): Promise<string> {
  const said = failure.replace(/\s+/g, ' ');
  const logs = await Promise.all(
    tests.map(async ({ metadata }) => {
      const pod = await release.kube.get('Pod', { name: metadata.name, namespace: release.namespace });
      const container = pod?.spec.containers[0]?.name;
      if (!pod || container === undefined) return undefined;
      return release.kube.logs({ namespace: release.namespace, pod: metadata.name, container, tailLines: 3 });
    }),
  );
  const words = logs.filter((log) => log !== undefined && log !== '');
  return words.length === 0 ? said : `${said}; it says: ${words.join(' ').trim()}`;
}
