/** One release of the chart is installed, as its manifests say, and its configuration reaches every pod. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { hookEvents, nameOf, ofKind } from '../../../harness/kube/manifests/objects.ts';
import type { ModelWorkload } from '../../../harness/kube/manifests/model/model.ts';
import { modelOf, namespaceOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { endpointsMatch } from '../../../harness/observe/predicates/live/endpoints.ts';
import { resourcesAre } from '../../../harness/observe/predicates/rendered/resources.ts';
import { canShareNamespace } from '../../../harness/observe/predicates/rendered/two-releases.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { helmTestPasses, podsOfTests, testsOf } from '../../any-chart/helm-tests.ts';
import { needHelmChart } from '../../any-chart/subject-form.ts';
import { fromConfigMaps, mountedTexts } from '../configuration.ts';
import { requirement } from '../kit.ts';
import { otherLimits } from '../resources.ts';
import { environmentOf, handleOf, serverOf, serverPods, serviceOf, variablesOf } from '../server.ts';

requirement(
  'M-13',
  'has as many available replicas as its values ask for',
  { first: true, timeoutMs: 960_000 },
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
    const wanted = release.objects.filter((object) => hookEvents(object).length === 0);
    const live: KubeObject[] = [];
    const absent: string[] = [];
    for (const object of wanted) {
      const { apiVersion, kind, metadata } = object;
      const namespace = namespaceOf(object, release);
      const found = await kube.get({ apiVersion, kind }, { name: metadata.name, namespace });
      if (found) live.push({ ...found, apiVersion, kind });
      else absent.push(`${nameOf(object)} does not exist`);
    }
    await expect(nothingWrong('every rendered object exists', absent)).toHold();
    const labelled = serverOf(release).model.object.metadata.labels ?? {};
    const keys = OWNER_LABELS.filter((key) => labelled[key] !== undefined);
    if (keys.length === 0) observe(`the server has no label ${OWNER_LABELS.join(' and no label ')}`);
    const wrong = keys.flatMap((key) =>
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
    const server = serverOf(release);
    const uses = server.model.configuration.filter(
      ({ kind, object, container }) =>
        kind === 'ConfigMap' && object !== undefined && container === server.container.name,
    );
    const { workloads } = modelOf(release.objects, release);
    const users = workloads.flatMap((workload) => workload.configuration);
    const unused = maps.filter(
      ({ metadata }) => !users.some(({ kind, name }) => kind === 'ConfigMap' && name === metadata.name),
    );
    // One of several may be for somebody else: a dashboard, or a program that reads it through the API.
    if (unused.length < maps.length || workloads.some(readsConfigMaps)) {
      for (const map of unused) observe(`no container uses ${nameOf(map)}`);
    } else
      await expect(
        nothingWrong(
          'every ConfigMap is used',
          unused.map((map) => `no container uses ${nameOf(map)}`),
        ),
      ).toHold();
    if (uses.length === 0) throw new DoesNotFit('the server uses no ConfigMap of the chart');
    const complaints: string[] = [];
    for (const pod of await serverPods(release)) {
      const variables = fromConfigMaps(server.container, uses);
      const environment = variables.size > 0 ? await environmentOf(release, pod) : new Map<string, string>();
      for (const [name, { value, map }] of variables)
        if (environment.get(name) !== value.split('\n')[0])
          complaints.push(`${pod.metadata.name} has not ${name} of ConfigMap ${map} in its environment`);
      for (const { path, text } of mountedTexts(server, uses))
        if ((await release.output(pod, ['cat', path], server.container.name)) !== text)
          complaints.push(`${pod.metadata.name} has another content in ${path}`);
    }
    await expect(nothingWrong('every pod has every entry', complaints)).toHold();
    observe(uses.map(({ name, use }) => `${name}: ${use}`).join(', '));
  },
);

/** Whether its pods may read ConfigMaps through the API. */
function readsConfigMaps({ roles }: ModelWorkload): boolean {
  return roles.some(({ role }) =>
    (Array.isArray(role?.['rules']) ? (role['rules'] as { resources?: string[] }[]) : []).some(
      ({ resources = [] }) => resources.includes('configmaps') || resources.includes('*'),
    ),
  );
}

requirement(
  ['M-15', 'M-43'],
  'has every variable of its manifest in the process, those from Secrets included',
  async ({ release, kube, observe }) => {
    const { container, model } = serverOf(release);
    const namespace = namespaceOf(model.object, release);
    const variables = variablesOf(container);
    const wanted = new Map<string, string>();
    for (const { name, value, valueFrom } of variables) {
      const { name: secret, key } = valueFrom?.['secretKeyRef'] ?? {};
      if (value !== undefined && !value.includes('$(')) wanted.set(name, value);
      if (secret === undefined || key === undefined) continue;
      const held = (await kube.get('Secret', { name: secret, namespace }))?.data?.[key];
      if (held !== undefined) wanted.set(name, Buffer.from(held, 'base64').toString());
    }
    if (wanted.size === 0) throw new DoesNotFit('the server has no variable with a known value');
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
  { timeoutMs: 960_000 },
  async ({ release, lab, kube, observe }) => {
    const { namespace } = release;
    // A chart with fixed names is X-30's question.
    const beside = await lab.render({ namespace, releaseName: 'other' });
    const clash = canShareNamespace(withoutHooks(release.objects), withoutHooks(beside.objects));
    if (!clash.ok)
      throw new DoesNotFit(`two servers of the chart cannot be in one namespace: ${clash.actual}`);
    const limits = otherLimits(serverOf(release).container.resources);
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

function withoutHooks(objects: readonly KubeObject[]): KubeObject[] {
  return objects.filter((object) => hookEvents(object).length === 0);
}

requirement(
  // Also X-23: a second helm test of the same release at the same time would delete the pod of this one.
  ['M-10', 'X-23'],
  'passes its own test (helm test), with a pod that really ran',
  { timeoutMs: 600_000 },
  async ({ release, lab, subject, observe }) => {
    await needHelmChart(subject);
    const tests = testsOf(release);
    // Without the documented file, the check of the chart's files is red.
    if (tests.length === 0 && (await lab.document('templates/tests/test-connection.yaml')) === undefined)
      throw new DoesNotFit('the chart has no test for helm test');
    expect(tests.length, 'pods and Jobs of helm test that the chart renders').toBeGreaterThan(0);
    await expect(await helmTestPasses(lab, release, tests)).toHold();
    // Helm deletes the pods of tests that passed; the recording has them.
    const ran = podsOfTests(await release.settleRecording(), tests).filter(
      ({ status }) => status?.phase === 'Succeeded',
    );
    expect(ran.length, 'pods of helm test that ran to their end').toBeGreaterThan(0);
    observe(ran.map(({ metadata }) => metadata.name).join(', '));
  },
);
