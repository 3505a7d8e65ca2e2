/** Pods that go: evicted within a budget, and ended without losing a call. */
import { z } from 'zod';
import { isEndRecorded, gracefulEnds } from '../../../harness/observe/predicates/live/graceful-ends.ts';
import { endpointsNeverBelow } from '../../../harness/observe/predicates/live/traffic.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { endpointReady } from '../../../harness/observe/waits/endpoints.ts';
import { podGone } from '../../../harness/observe/waits/pod-end.ts';
import { waitFor } from '../../../harness/core/deadline.ts';
import { DoesNotFit, InfrastructureError } from '../../../harness/core/errors.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { Container, Pod } from '../../../harness/kube/api/types.ts';
import type { Recording } from '../../../harness/observe/recorder/recording.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { inShape, parseJsonOf } from '../../../harness/run/suite/shape.ts';
import { requirement } from '../kit.ts';
import { mainOf } from '../rendered-server.ts';
import { serverPods } from '../server-pods.ts';

const PORT = 3000;
const MIN_AVAILABLE = 2;
/** Longer than the preStop hook of the documents, so that the call is in flight when the process gets SIGTERM. */
const CALL_SECONDS = 9;

requirement(
  ['T-59', 'TA-11'],
  'keeps 2 of its 3 replicas when its pods are evicted: a second eviction at once is refused',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ set: ['replicaCount=3', 'podDisruptionBudget.enabled=true'] });
    const service = await release.service();
    const pods = await serverPods(release);
    const [first, second] = pods;
    if (!first || !second) throw new DoesNotFit('it has fewer than two pods');
    for (const pod of pods)
      await endpointReady(kube, { name: service.metadata.name, namespace: release.namespace }, pod);
    const { name } = release.rendered('PodDisruptionBudget').metadata;
    const allowed = await eventually(async () => {
      const budget = await kube.get(
        { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
        { name, namespace: release.namespace },
      );
      const { disruptionsAllowed, currentHealthy } = (budget?.['status'] ?? {}) as Record<
        string,
        number | undefined
      >;
      return {
        ok: disruptionsAllowed === 1 && currentHealthy === 3,
        expected: `PodDisruptionBudget ${name} allows 1 disruption of 3 healthy pods`,
        actual: `it allows ${disruptionsAllowed ?? 'no'} of ${currentHealthy ?? 'no'} healthy pods`,
      };
    });
    // Who allows more is judged by the eviction itself.
    if (allowed.actual.startsWith('it allows 0') || allowed.actual.startsWith('it allows no'))
      await expect(allowed).toHold();
    const from = (await release.settleRecording()).changes.length;
    const evict = (pod: Pod): ReturnType<KubeClient['evict']> =>
      kube.evict({ name: pod.metadata.name, namespace: release.namespace });
    expect(await evict(first), `eviction of ${first.metadata.name}`).toEqual({ evicted: true });
    const refused = await evict(second);
    expect(refused, `the budget refuses the second eviction`).toMatchObject({ evicted: false });
    // As a drain does: again and again, until the budget allows it.
    await waitFor<undefined>({
      what: `the eviction of ${second.metadata.name} to be allowed`,
      timeoutMs: 120_000,
      intervalMs: 1000,
      look: async () => {
        const answer = await evict(second);
        return answer.evicted ? { done: true, value: undefined } : { done: false, seen: answer.reason };
      },
    });
    await release.rolledOut();
    const recording = await release.settleRecording();
    await expect(
      endpointsNeverBelow(recording.endpointsOf(service.metadata.name), MIN_AVAILABLE, { from }),
    ).toHold();
    observe(refused.evicted ? '' : refused.reason);
  },
);

const toolList = z.looseObject({
  result: z.looseObject({ tools: z.array(z.looseObject({ name: z.string() })) }),
});

requirement(
  ['T-60', 'T-61'],
  'ends after its preStop hook, out of the Service, and answers the call that is in flight',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ set: ['replicaCount=2'] });
    const service = await release.service();
    const { name: serviceName } = service.metadata;
    const [idle, busy] = await serverPods(release);
    if (!idle || !busy) throw new DoesNotFit('it has fewer than two pods');
    for (const pod of [idle, busy])
      await endpointReady(kube, { name: serviceName, namespace: release.namespace }, pod);
    const tool = await waitingTool(release, busy);
    const call = mcp(release, busy, 'tools/call', { name: tool, arguments: { seconds: CALL_SECONDS } }).then(
      ({ status, body }) => `HTTP ${status} ${body}`,
      (error: unknown) => String(error),
    );
    // Its answer shows that the pod has accepted the call before it.
    await mcp(release, busy, 'ping', {});
    for (const { metadata } of [idle, busy])
      await kube.delete('Pod', { name: metadata.name, namespace: release.namespace });
    const [answer] = await Promise.all([call, podGone(kube, idle), podGone(kube, busy)]);
    expect(answer, `answer to the call in flight when ${busy.metadata.name} was deleted`).toMatch(
      /^HTTP 200 .*"result"/s,
    );

    const recording = await release.settleRecording();
    for (const pod of [idle, busy]) {
      const main = mainOf(pod.spec);
      if (!isEndRecorded(recording, pod, [main.name]))
        throw new InfrastructureError(
          'E_NOT_RECORDED',
          `the recording does not show how ${pod.metadata.name} ended`,
        );
      await expect(gracefulEnds(recording, pod, [main.name])).toHold();
    }
    const hook = hookSeconds(mainOf(idle.spec));
    const ended = endOf(recording, idle);
    expect(
      ended.afterSeconds,
      `seconds from the deletion of ${idle.metadata.name} to its end, after a preStop hook of ${hook} s`,
    ).toBeGreaterThanOrEqual(hook - 1);
    const left = recording
      .endpointsOf(serviceName)
      .find(({ seq, ready }) => seq > ended.deletedSeq - 1 && !ready.has(idle.metadata.name));
    if (!left || left.seq > ended.endedSeq) {
      // The hook was executed, so it is the controllers that were late.
      throw new InfrastructureError(
        'E_CONTROL',
        `${idle.metadata.name} left the Service only after its end, which the hook had delayed by ${hook} s`,
        {
          hint: 'Run again when the machine does nothing else.',
        },
      );
    }
    observe(
      `${idle.metadata.name} left the Service, and ended ${ended.afterSeconds} s after its deletion; the call of ${CALL_SECONDS} s was answered`,
    );
  },
);

function mcp(release: Release, pod: Pod, method: string, params: object): ReturnType<Release['http']> {
  return release.http({ kind: 'Pod', name: pod.metadata.name, port: PORT }, '/mcp', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    timeoutMs: 60_000,
  });
}

/** @throws DoesNotFit when no tool waits: the suite's demo server has one */
async function waitingTool(release: Release, pod: Pod): Promise<string> {
  const { body } = await mcp(release, pod, 'tools/list', {});
  const { result } = inShape(
    toolList,
    parseJsonOf(body, 'the answer to tools/list'),
    'the answer to tools/list',
  );
  const names = result.tools.map(({ name }) => name);
  const tool = names.find((name) => name.endsWith('_wait'));
  if (tool === undefined) throw new DoesNotFit(`it has no tool that waits, only ${names.join(', ')}`);
  return tool;
}

/** What a preStop hook takes; 1 when its form does not say. */
function hookSeconds({ name, lifecycle }: Container): number {
  const preStop = lifecycle?.['preStop'] as
    { sleep?: { seconds: number }; exec?: { command: string[] } } | undefined;
  expect(preStop, `preStop hook of container ${name}`).toBeDefined();
  const [, slept] = /\bsleep\s+(\d+)/.exec(preStop?.exec?.command.join(' ') ?? '') ?? [];
  return preStop?.sleep?.seconds ?? Number(slept ?? 1);
}

/** Times of the API have a resolution of one second. */
function endOf(
  recording: Recording,
  { metadata: { name, uid = name }, spec }: Pod,
): { afterSeconds: number; deletedSeq: number; endedSeq: number } {
  const history = recording.podHistory(uid);
  const deleted = history.find(({ object }) => object.metadata.deletionTimestamp !== undefined);
  const ended = history.find(({ object }) => terminated(object) !== undefined);
  const grace =
    deleted?.object.metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
  const deletedAt = Date.parse(deleted?.object.metadata.deletionTimestamp ?? '') - grace * 1000;
  const endedAt = Date.parse((ended && terminated(ended.object)) ?? '');
  return {
    afterSeconds: Math.round((endedAt - deletedAt) / 1000),
    deletedSeq: deleted?.seq ?? 0,
    endedSeq: ended?.seq ?? Infinity,
  };
}

function terminated(pod: Pod): string | undefined {
  const main = mainOf(pod.spec).name;
  return pod.status?.containerStatuses?.find(({ name }) => name === main)?.state?.terminated?.finishedAt;
}
