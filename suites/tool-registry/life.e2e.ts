/** A running system through updates: nobody notices a new revision, the end of a pod, or a bad image. */
import { consistently } from '../../harness/observe/predicates/live/consistency.ts';
import { endpointsNeverBelow, servedThroughout } from '../../harness/observe/predicates/live/traffic.ts';
import { nothingWrong } from '../../harness/observe/predicates/result.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import { rolloutUndo } from '../../harness/kube/deploy/rollout-undo.ts';
import type { Workload } from '../../harness/kube/api/types.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { registryApi } from './api-client.ts';
import { untilBehindService } from './behind-service.ts';
import { callUntilGone } from './calls-in-flight.ts';
import { startConstantLoad } from './constant-load.ts';
import { registryOf } from './environment.ts';
import { requirement } from './kit.ts';
import { DEPLOYMENT, SERVICE } from './names.ts';
import { longerThan, probeOf } from './probes.ts';
import { scale } from './scale.ts';
import { replicas, restarted } from './variants.ts';

/** Requests before and after the rollout: it is covered from both sides. */
const MARGIN = 40;
/** Looks, one a second, for controllers that are late. */
const CONTROLLERS = 10;

requirement(
  'R-06',
  'is updated under constant load without a failed request, old pods serving until new ones are ready',
  // Alone: on a small machine other checks would take the time that the answers need.
  { release: 'none', disruptive: true, exclusive: true, timeoutMs: 480_000 },
  async ({ lab, observe }) => {
    const release = await lab.install({ patches: replicas(3) });
    const load = await startConstantLoad(release, SERVICE, {
      ratePerSecond: 20,
      limitSeconds: 450,
      requests: [
        { method: 'POST', path: '/mcp/list_tools', body: {} },
        { method: 'POST', path: '/mcp/find_tool', body: { query: 'a tool that nobody has' } },
      ],
    });
    await load.goOn(MARGIN);
    const old = await release.pods();
    await untilBehindService(release, old);
    const from = (await release.settleRecording()).changes.length;
    await lab.upgrade(release, { patches: [...replicas(3), ...restarted('under load')] });
    await load.goOn(MARGIN);
    const report = await load.stop();
    const recording = await release.settleRecording();

    const kept = (await release.pods()).filter((p) => old.some((o) => o.metadata.uid === p.metadata.uid));
    expect(
      kept.map((p) => p.metadata.name),
      'pods of the old revision after the update',
    ).toEqual([]);
    await expect(endpointsNeverBelow(recording.endpointsOf(SERVICE), old.length, { from })).toHold();
    await expect(servedThroughout(report, { atLeast: 4 * MARGIN })).toHold();
    observe(`${old.length} pods replaced`);
  },
);

requirement(
  'R-53',
  'answers every call that it has taken, ends by itself and closes its connections when its pod is deleted',
  { release: 'none', disruptive: true, timeoutMs: 420_000 },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ patches: replicas(1) });
    const { namespace } = release;
    const { embedding, database } = registryOf(release);
    const [pod] = await release.pods();
    if (!pod) throw new CheckFailure('E_SELECTED_NOTHING', 'a pod is needed');
    const { name, uid = '' } = pod.metadata;
    // Some calls are in the midst of it when the process is told to end. Longer than the 2 s that a kubelet adds to a grace period which
    // preStop has used up, or they would all be answered in these; shorter than the application waits for the service.
    await embedding.setMode('slow', { delaySeconds: 3.5 });
    // By scaling down: a successor would make connections of its own.
    const calls = await callUntilGone(release, pod, () => scale(release, 0));
    const reached = new Set((await embedding.requests()).flatMap((r) => r.inputs));
    const taken = calls.filter((call) => reached.has(call.query));
    const cut = taken
      .filter((call) => call.outcome !== 'HTTP 200')
      .map((call) => `${call.query}: ${call.outcome}`);
    expect(taken.length, 'calls that the pod has taken').toBeGreaterThan(1);
    await expect(nothingWrong(`${taken.length} calls taken by ${name} are answered`, cut)).toHold();

    const recording = await release.settleRecording();
    const [ended] = recording
      .podHistory(uid)
      .flatMap(({ object }) => object.status?.containerStatuses ?? [])
      .filter((status) => status.name === 'api')
      .flatMap(({ state }) => state?.terminated ?? []);
    // 143: ended by the signal itself. 137 would be the kubelet's patience.
    expect([0, 143], `exit code of container api of ${name}`).toContain(ended?.exitCode);
    await release.until(
      `the database to have no connection of ${name} any more`,
      async () => (await database.connections()).length === 0,
      30_000,
    );
    const left = await kube.list('Pod', { namespace, labelSelector: 'app=tool-registry' });
    expect(left.length, 'pods that could hold a connection').toBe(0);
    observe(
      `${taken.length} calls taken and answered, ${calls.length - taken.length} not taken; exit code ${ended?.exitCode ?? '?'}; no connection left`,
    );
  },
);

requirement(
  'R-55',
  'goes back to the revision before after a bad image, which serves all the while, also on the newer schema',
  { release: 'none', disruptive: true, timeoutMs: 600_000 },
  async ({ lab, kube, subject, observe }) => {
    const previous = subject.images.find(({ name }) => name === 'previous')?.ref ?? '';
    const old = [...replicas(2), { images: { api: previous, migrations: previous } }];
    const release = await lab.install({ patches: old });
    const { namespace } = release;
    const { database } = registryOf(release);
    const api = registryApi(release);
    await api.register({ name: 'before', description: 'registered before the update' });
    const pods = await release.pods();
    await untilBehindService(release, pods);
    const template = (await release.deployment(DEPLOYMENT).read()).spec.template;
    const from = (await release.settleRecording()).changes.length;
    const schemaBefore = await database.alembicVersion();

    // The migrations of the new revision run, its application cannot: the worst moment to go back.
    const bad = `${previous.replace(/[:@][^/]*$/, '')}:does-not-exist`;
    await lab.upgrade(release, { patches: [...replicas(2), { images: { api: bad } }], rollout: false });
    await release.until(`a pod that cannot pull ${bad}`, () => hasImageProblem(release, bad), 150_000);
    const schema = await database.alembicVersion();
    // Long enough for a pod that does not like the newer schema to leave the Service, which several controllers have to hear of.
    const [served] = pods;
    if (!served) throw new CheckFailure('E_SELECTED_NOTHING', 'a pod is needed');
    const { count, intervalMs } = longerThan(probeOf(served, 'readinessProbe'));
    const steadily = await consistently({
      count: count + CONTROLLERS,
      intervalMs,
      ask: async () => {
        const { status } = await api.ask('POST', '/mcp/list_tools', {});
        return [{ what: 'POST /mcp/list_tools', status }];
      },
    });
    const expected = `the old revision serves while the new one cannot start: ${steadily.expected}`;
    await expect({ ...steadily, expected }).toHold();

    const undone = await rolloutUndo(kube, { name: DEPLOYMENT, namespace });
    await release.rolledOut();
    const now = await release.deployment(DEPLOYMENT).read();
    expect(withoutMoments(now), 'template after the rollback').toEqual(
      withoutMoments({ ...now, spec: { ...now.spec, template } }),
    );
    const recording = await release.settleRecording();
    await expect(endpointsNeverBelow(recording.endpointsOf(SERVICE), pods.length, { from })).toHold();
    await expect(release.deployment(DEPLOYMENT)).toHaveNoRestarts();
    expect((await release.pods()).map((p) => p.metadata.name).toSorted(), 'pods after the rollback').toEqual(
      pods.map((p) => p.metadata.name).toSorted(),
    );

    // A pod of the old revision that starts only now meets the schema of the new one.
    await lab.replacePods(release);
    await api.register({ name: 'after', description: 'registered after the rollback' });
    expect(await api.listTools(), 'tools after the rollback').toEqual(
      expect.arrayContaining(['before', 'after']),
    );
    observe(
      `back to ${undone.metadata.name}; schema ${schemaBefore ?? 'none'} before, ${schema ?? 'none'} since, and the old revision starts on it`,
    );
  },
);

async function hasImageProblem({ kube, namespace }: Release, image: string): Promise<boolean> {
  const pods = await kube.list('Pod', { namespace });
  return pods.some((pod) =>
    (pod.status?.containerStatuses ?? []).some(
      (s) => s.image === image && /^(ErrImagePull|ImagePullBackOff)$/.test(s.state?.waiting?.reason ?? ''),
    ),
  );
}

/** The template as it was asked for. */
function withoutMoments({ spec: { template } }: Workload): object {
  return {
    metadata: { labels: template.metadata?.labels, annotations: template.metadata?.annotations },
    spec: template.spec,
  };
}
