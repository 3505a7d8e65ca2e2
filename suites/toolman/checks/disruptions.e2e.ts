/** Pods that go: evicted within a budget, and ended without losing a call. */
import { isEndRecorded, gracefulEnds } from '../../../harness/observe/predicates/live/graceful-ends.ts';
import { endpointsNeverBelow } from '../../../harness/observe/predicates/live/traffic.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { endpointReady } from '../../../harness/observe/waits/endpoints.ts';
import { podEvicted } from '../../../harness/observe/waits/pod-evicted.ts';
import { podGone } from '../../../harness/observe/waits/pod-end.ts';
import { DoesNotFit, InfrastructureError } from '../../../harness/core/errors.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { preStopSeconds } from '../../../harness/kube/manifests/pre-stop.ts';
import type { Recording } from '../../../harness/observe/recorder/recording.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { callInFlight, secondsInFlight } from '../../mcp-client/call-in-flight.ts';
import { ownTool, startAgent, toolsOf } from '../agent-tools.ts';
import { requirement } from '../kit.ts';
import { withReplicas } from '../means.ts';
import { budgetOf, needOwnReplicas, portOf, renderedServer } from '../server.ts';
import { serverPods, serviceAddress } from '../server-pods.ts';

const MIN_AVAILABLE = 2;
const BUDGET = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' };
/** Of a hook whose form does not say how long it takes. */
const HOOK_SECONDS = 5;

requirement(
  ['T-59', 'TA-11'],
  'keeps 2 of its 3 replicas when its pods are evicted: a second eviction at once is refused',
  { release: 'none', disruptive: true, typicalMs: 50_000 },
  async ({ lab, kube, observe }) => {
    const server = await renderedServer(lab);
    needOwnReplicas(server.workload);
    const release = await lab.install({
      patches: withReplicas(server, 3),
      set: server.workload.budgets.length > 0 ? [] : ['podDisruptionBudget.enabled=true'],
    });
    const { name } = budgetOf(release).metadata;
    const service = await serviceAddress(release);
    const { namespace } = service;
    const pods = await serverPods(release);
    const [first, second] = pods;
    if (!first || !second) throw new DoesNotFit('it has fewer than two pods');
    for (const pod of pods) await endpointReady(kube, service, pod);
    // Who allows more than one is judged by the second eviction.
    const allows = eventually(async () => {
      const budget = await kube.get(BUDGET, { name, namespace });
      const { disruptionsAllowed = 0, currentHealthy = 0 } = (budget?.['status'] ?? {}) as Record<
        string,
        number | undefined
      >;
      return {
        ok: disruptionsAllowed > 0 && currentHealthy === pods.length,
        expected: `PodDisruptionBudget ${name} allows a disruption of ${pods.length} healthy pods`,
        actual: `it allows ${disruptionsAllowed} of ${currentHealthy} healthy pods`,
      };
    });
    await expect(allows).toHold();
    const from = (await release.settleRecording()).changes.length;
    const evict = ({ metadata }: Pod): ReturnType<KubeClient['evict']> =>
      kube.evict({ name: metadata.name, namespace });
    expect(await evict(first), `eviction of ${first.metadata.name}`).toEqual({ evicted: true });
    const refused = await evict(second);
    expect(refused, `the budget refuses the second eviction`).toMatchObject({ evicted: false });
    await podEvicted(kube, second);
    await release.rolledOut();
    const recording = await release.settleRecording();
    await expect(endpointsNeverBelow(recording.endpointsOf(service.name), MIN_AVAILABLE, { from })).toHold();
    observe(refused.evicted ? '' : refused.reason);
  },
);

requirement(
  ['T-60', 'T-61'],
  'ends after its preStop hook, out of the Service, and answers the call that is in flight',
  { release: 'none', disruptive: true, typicalMs: 40_000 },
  async ({ lab, kube, observe }) => {
    const server = await renderedServer(lab);
    const { container, workload } = server;
    expect(container.lifecycle?.['preStop'], `preStop hook of container ${container.name}`).toBeDefined();
    const hook = preStopSeconds(container);
    const drain = hook ?? HOOK_SECONDS;
    const grace = workload.template.spec.terminationGracePeriodSeconds ?? 30;
    const release = await lab.install({ patches: withReplicas(server, 2) });
    const service = await serviceAddress(release);
    const { namespace } = service;
    const [idle, busy] = await serverPods(release);
    if (!idle || !busy) throw new DoesNotFit('it has fewer than two pods');
    for (const pod of [idle, busy]) await endpointReady(kube, service, pod);

    const client = await startAgent(lab, release);
    const url = `http://${busy.status?.podIP ?? ''}:${portOf(server).number}/mcp`;
    const wait = ownTool(toolsOf((await client.talk({ url }))[0]), 'wait');
    const seconds = secondsInFlight({ hook: drain, grace });
    const call = await callInFlight(client, { url, tool: wait, seconds, pod: busy.metadata.name });
    for (const { metadata } of [idle, busy]) await kube.delete('Pod', { name: metadata.name, namespace });
    await Promise.all([podGone(kube, idle), podGone(kube, busy)]);
    await call.answered();

    const recording = await release.settleRecording();
    for (const pod of [idle, busy]) {
      if (!isEndRecorded(recording, pod, [container.name]))
        throw new InfrastructureError(
          'E_NOT_RECORDED',
          `the recording does not show how ${pod.metadata.name} ended`,
        );
      await expect(gracefulEnds(recording, pod, [container.name])).toHold();
    }
    // A hook that does not say how long it takes, takes some time.
    const least = (hook ?? 1) - 1;
    const ended = endOf(recording, idle, container.name);
    expect(
      ended.afterSeconds,
      `seconds from the deletion of ${idle.metadata.name} to its end, after a preStop hook of ${hook ?? 'some'} s`,
    ).toBeGreaterThanOrEqual(least);
    const left = recording
      .endpointsOf(service.name)
      .find(({ seq, ready }) => seq > ended.deletedSeq - 1 && !ready.has(idle.metadata.name));
    if (!left || left.seq > ended.endedSeq) {
      // The hook was executed, so it is the controllers that were late.
      throw new InfrastructureError(
        'E_CONTROL',
        `${idle.metadata.name} left the Service only after its end, which the hook had delayed by ${hook ?? 'some'} s`,
        {
          hint: 'Run again when the machine does nothing else.',
        },
      );
    }
    observe(
      `${idle.metadata.name} left the Service, and ended ${ended.afterSeconds} s after its deletion; the call of ${seconds} s was answered`,
    );
  },
);

/** Times of the API have a resolution of one second. */
function endOf(
  recording: Recording,
  { metadata: { name, uid = name }, spec }: Pod,
  container: string,
): { afterSeconds: number; deletedSeq: number; endedSeq: number } {
  const history = recording.podHistory(uid);
  const deleted = history.find(({ object }) => object.metadata.deletionTimestamp !== undefined);
  const ended = history.find(({ object }) => terminated(object, container) !== undefined);
  const grace =
    deleted?.object.metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
  const deletedAt = Date.parse(deleted?.object.metadata.deletionTimestamp ?? '') - grace * 1000;
  const endedAt = Date.parse((ended && terminated(ended.object, container)) ?? '');
  return {
    afterSeconds: Math.round((endedAt - deletedAt) / 1000),
    deletedSeq: deleted?.seq ?? 0,
    endedSeq: ended?.seq ?? Infinity,
  };
}

function terminated({ status }: Pod, container: string): string | undefined {
  return status?.containerStatuses?.find(({ name }) => name === container)?.state?.terminated?.finishedAt;
}
