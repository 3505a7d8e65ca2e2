/** A running system through updates: clients do not notice a new revision, a deleted pod or a bad image. */
import { consistently } from '../../../harness/observe/waits/consistently.ts';
import { noRestartsNoOom } from '../../../harness/observe/predicates/live/restarts.ts';
import { endpointsNeverBelow, servedThroughout } from '../../../harness/observe/predicates/live/traffic.ts';
import { containerWaiting } from '../../../harness/observe/waits/containers.ts';
import { podCreated } from '../../../harness/observe/waits/pod-creation.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { waitFor } from '../../../harness/core/deadline.ts';
import type { Database } from '../../../fixtures/services/postgres-types.ts';
import { rolloutUndo } from '../../../harness/kube/deploy/rollout-undo.ts';
import type { Workload } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { ANSWER_MS, registryApi } from '../api/api-client.ts';
import { startControl } from '../control/control.ts';
import { callUntilGone } from '../load/calls-in-flight.ts';
import { startConstantLoad } from '../load/constant-load.ts';
import { longerThan, probeOf, scale, servedBy } from '../deployment.ts';
import { requirement } from '../kit.ts';
import { endpointsOfRollout } from '../probe-record.ts';
import {
  renderedRoles,
  replaceServerPods,
  rolesOf,
  serverOf,
  serverPod,
  serverPods,
  serviceOf,
} from '../roles.ts';
import { images, replicas, restarted } from '../variants.ts';

/** Requests before and after the rollout, so that the load covers all of it. */
const MARGIN = 40;
/** Of the calls that an unchanged Service gets meanwhile: enough to notice a machine that is too slow. */
const CONTROL_RATE = 5;
const LOAD_SECONDS = 450;
const CANNOT_PULL = /^(ErrImagePull|ImagePullBackOff)$/;
/** Seconds for late controllers. */
const CONTROLLERS_SECONDS = 10;

requirement(
  'R-06',
  'is updated under constant load without a failed request: old pods serve until new ones are ready',
  // Exclusive: on a small machine other checks would take the CPU time that the answers need.
  { release: 'none', disruptive: true, exclusive: true, timeoutMs: 480_000 },
  async ({ lab, observe }) => {
    const release = await lab.install({ patches: await replicas(lab, 3) });
    const control = await startControl(release, await serverPods(release));
    await control.startCalls({ ratePerSecond: CONTROL_RATE, limitSeconds: LOAD_SECONDS });
    const load = await startConstantLoad(release, await release.service(serviceOf(release).metadata.name), {
      ratePerSecond: 20,
      limitSeconds: LOAD_SECONDS,
      requests: [
        { method: 'POST', path: '/mcp/list_tools', body: {} },
        { method: 'POST', path: '/mcp/find_tool', body: { query: 'a tool that does not exist' } },
      ],
    });
    await load.goOn(MARGIN);
    const old = await serverPods(release);
    await servedBy(release, old);
    const from = (await release.settleRecording()).changes.length;
    await lab.upgrade(release, {
      patches: [...(await replicas(lab, 3)), ...(await restarted(lab, 'under load'))],
    });
    await load.goOn(MARGIN);
    const report = await load.stop();
    const recording = await release.settleRecording();

    const kept = (await serverPods(release)).filter((p) =>
      old.some((o) => o.metadata.uid === p.metadata.uid),
    );
    expect(
      kept.map((p) => p.metadata.name),
      'pods of the old revision after the update',
    ).toEqual([]);
    const endpoints = endpointsOfRollout(recording, serviceOf(release).metadata.name);
    await expect(endpointsNeverBelow(endpoints, old.length, { from })).toHold();
    await expect(await control.judged(servedThroughout(report, { atLeast: 4 * MARGIN }))).toHold();
    observe(`${old.length} pods replaced`);
  },
);

requirement(
  'R-53',
  'answers every call it has accepted, exits without being killed and closes its connections when its pod is deleted',
  { release: 'none', disruptive: true, timeoutMs: 420_000 },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ patches: await replicas(lab, 1) });
    const { namespace } = release;
    const { embedding, database } = release.environment;
    const pod = await serverPod(release);
    const { name, uid = '' } = pod.metadata;
    // So slow that calls are in flight when the process gets SIGTERM. More than the 2 s that a kubelet adds to a grace period which
    // preStop has used up, or all calls would be answered within them; less than the application waits for the service.
    await embedding.setMode('slow', { delaySeconds: 3.5 });
    // Scaled down, because a successor would open its own connections.
    const calls = await callUntilGone(release, pod, () => scale(release, 0));
    const reached = new Set((await embedding.requests()).flatMap((r) => r.inputs));
    const accepted = calls.filter((call) => reached.has(call.query));
    const cut = accepted
      .filter((call) => call.outcome !== 'HTTP 200')
      .map((call) => `${call.query}: ${call.outcome}`);
    expect(accepted.length, 'calls that the pod has accepted').toBeGreaterThan(1);
    await expect(nothingWrong(`${accepted.length} calls accepted by ${name} are answered`, cut)).toHold();

    const recording = await release.settleRecording();
    const { server } = rolesOf(release);
    const [ended] = recording
      .podHistory(uid)
      .flatMap(({ object }) => object.status?.containerStatuses ?? [])
      .filter((status) => status.name === server.name)
      .flatMap(({ state }) => state?.terminated ?? []);
    // 143: ended by SIGTERM. 137 would be SIGKILL at the end of the grace period.
    expect([0, 143], `exit code of container ${server.name} of ${name}`).toContain(ended?.exitCode);
    await connectionsClosed(database, name);
    const labelSelector = await release.selectorOf(serverOf(release));
    const left = await kube.list('Pod', { namespace, labelSelector });
    expect(left.length, 'pods that could hold a connection').toBe(0);
    observe(
      `${accepted.length} calls accepted and answered, ${calls.length - accepted.length} not accepted; exit code ${ended?.exitCode ?? '?'}; no connection left`,
    );
  },
);

requirement(
  'R-55',
  'rolls back from a bad image to the previous revision, which serves throughout, also on the newer schema',
  { release: 'none', disruptive: true, timeoutMs: 600_000, typicalMs: 130_000 },
  async ({ lab, kube, subject, observe }) => {
    const previous = subject.images.find(({ name }) => name === 'previous')?.ref ?? '';
    const roles = await renderedRoles(lab);
    const old = [...(await replicas(lab, 2)), images(roles, previous)];
    const release = await lab.install({ patches: old });
    const { namespace } = release;
    const { database } = release.environment;
    const api = registryApi(release);
    await api.register({ name: 'before', description: 'registered before the update' });
    const pods = await serverPods(release);
    await servedBy(release, pods);
    const control = await startControl(release, pods);
    const template = (await serverOf(release).read()).spec.template;
    const from = (await release.settleRecording()).changes.length;
    const schemaBefore = await database.alembicVersion();

    // The migrations of the new revision run, but its application cannot start: the worst moment for a rollback.
    const bad = `${previous.replace(/[:@][^/]*$/, '')}:does-not-exist`;
    await lab.upgrade(release, {
      patches: [...(await replicas(lab, 2)), { images: { [roles.server.name]: bad } }],
      rollout: false,
    });
    const young = await podCreated(kube, serverOf(release), { others: pods });
    await containerWaiting(kube, young, roles.server.name, ({ reason }) => CANNOT_PULL.test(reason), {
      what: `pod ${young.metadata.name} to fail to pull ${bad}`,
      timeoutMs: 150_000,
    });
    const schema = await database.alembicVersion();
    // Long enough for a pod that fails on the newer schema to leave the Service, which takes several controllers.
    const { count, intervalMs } = longerThan(probeOf(release, await serverPod(release), 'readinessProbe'));
    const steadily = await consistently({
      count: count + CONTROLLERS_SECONDS,
      intervalMs,
      ask: async () => {
        const [{ status }] = await Promise.all([
          api.ask('POST', '/mcp/list_tools', {}),
          control.call(ANSWER_MS),
        ]);
        return [{ what: 'POST /mcp/list_tools', status }];
      },
    });
    const expected = `the old revision serves while the new one cannot start: ${steadily.expected}`;
    await expect(await control.judged({ ...steadily, expected })).toHold();

    const undone = await rolloutUndo(kube, { name: serverOf(release).name, namespace });
    await release.rolledOut();
    const now = await serverOf(release).read();
    expect(configuredTemplate(now), 'template after the rollback').toEqual(
      configuredTemplate({ ...now, spec: { ...now.spec, template } }),
    );
    const recording = await release.settleRecording();
    const endpoints = endpointsOfRollout(recording, serviceOf(release).metadata.name);
    await expect(endpointsNeverBelow(endpoints, pods.length, { from })).toHold();
    const left = await serverPods(release);
    await expect(await control.judged(noRestartsNoOom(recording, left))).toHold();
    expect(left.map((p) => p.metadata.name).toSorted(), 'pods after the rollback').toEqual(
      pods.map((p) => p.metadata.name).toSorted(),
    );

    // New pods of the old revision start on the schema of the new one.
    await replaceServerPods(lab, release);
    await api.register({ name: 'after', description: 'registered after the rollback' });
    expect(await api.listTools(), 'tools after the rollback').toEqual(
      expect.arrayContaining(['before', 'after']),
    );
    observe(
      `rolled back to ${undone.metadata.name}; schema ${schemaBefore ?? 'none'} before, ${schema ?? 'none'} since, and the old revision starts on it`,
    );
  },
);

function connectionsClosed(database: Database, pod: string): Promise<void> {
  return waitFor<undefined>({
    what: `the database to have no connection of ${pod} any more`,
    timeoutMs: 30_000,
    look: async () => {
      const { length } = await database.connections();
      return length === 0 ? { done: true, value: undefined } : { done: false, seen: `${length} connections` };
    },
  });
}

/** The pod template without what controllers add. */
function configuredTemplate({ spec: { template } }: Workload): object {
  return {
    metadata: { labels: template.metadata?.labels, annotations: template.metadata?.annotations },
    spec: template.spec,
  };
}
