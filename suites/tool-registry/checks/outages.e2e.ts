/** A dependency of the application stops or hangs: the application is not restarted for that, and recovers. */
import { consistently } from '../../../harness/observe/waits/consistently.ts';
import { noRestartsNoOom } from '../../../harness/observe/predicates/live/restarts.ts';
import { answeredWithin, type TimedAnswer } from '../../../harness/observe/predicates/live/traffic.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { healthy, registryApi, serviceTarget } from '../api/api-client.ts';
import { startControl, type Control } from '../control/control.ts';
import {
  failureThresholdOf,
  failureTimeMs,
  longerThan,
  periodsToFail,
  probeOf,
  servedBy,
} from '../deployment.ts';
import { requirement } from '../kit.ts';
import { notRestarted } from '../probe-record.ts';
import { serverPod, serverPods, serviceOf } from '../roles.ts';
import { impatientLiveness, replicas } from '../variants.ts';

/** For a busy kubelet. */
const SLACK_MS = 60_000;
/** For the application to reconnect and to pass its readiness probe. */
const BACK_MS = 120_000;

requirement(
  'R-51',
  'gets no traffic while its database is down or hangs, is not restarted, and recovers',
  { release: 'none', disruptive: true, timeoutMs: 600_000, typicalMs: 100_000 },
  async ({ lab, observe }) => {
    const release = await lab.install({
      patches: [...(await replicas(lab, 1)), ...(await impatientLiveness(lab))],
      environment: { server: 'own' },
    });
    const registry = release.environment;
    const { server } = registry;
    const outages = [
      {
        title: 'stopped',
        begin: () => server.stop(),
        // Its address may have changed.
        end: () => server.start().then(() => registry.connect()),
      },
      { title: 'frozen', begin: () => server.pause(), end: () => server.unpause() },
    ];
    const pod = await serverPod(release);
    // To leave the endpoints, the pod has to be among them first.
    await servedBy(release, [pod]);
    const control = await startControl(release, [pod]);
    for (const { title, begin, end } of outages) {
      await begin();
      const since = await control.probes();
      await servedBy(release, [], {
        what: `Service ${serviceOf(release).metadata.name} to have no ready endpoint while the database is ${title}`,
        timeoutMs: failureTimeMs(probeOf(release, pod, 'readinessProbe')) + SLACK_MS,
      });
      await expectAliveWithout('database', release, pod, control, since);
      await end();
      const what = `the replica to be a ready endpoint again after the database was ${title}`;
      await servedBy(release, [pod], { what, timeoutMs: BACK_MS });
      const { status, body } = await healthy(registryApi(release));
      expect(status, `GET /health after the database was ${title}`).toBe(200);
      expect(body.database, `database in /health after it was ${title}`).toBe(true);
      observe(`${title}: left the Service, not restarted, and came back`);
    }
    await expectSamePod(release, pod, control);
  },
);

requirement(
  'R-52',
  'answers /health within the probe timeout while the embedding service hangs, and is not restarted',
  { release: 'none', disruptive: true, timeoutMs: 480_000 },
  async ({ lab, observe }) => {
    const release = await lab.install({
      patches: [...(await replicas(lab, 1)), ...(await impatientLiveness(lab))],
    });
    const { embedding } = release.environment;
    const pod = await serverPod(release);
    const api = registryApi(release);
    const control = await startControl(release, [pod]);
    await embedding.setMode('hang');
    const since = await control.probes();
    // Searches wait for an answer throughout.
    const searches = Array.from({ length: 8 }, (_, index) =>
      api.ask('POST', '/mcp/find_tool', { query: `search ${index}` }).catch(() => undefined),
    );
    const liveness = probeOf(release, pod, 'livenessProbe');
    const limitMs = (liveness.timeoutSeconds ?? 1) * 1000;
    const inARow = failureThresholdOf(liveness);
    const answers: TimedAnswer[] = [];
    const steadily = await consistently({
      ...longerThan(liveness),
      inARow,
      ask: async () => {
        const [answer] = await Promise.all([timedHealth(release, limitMs + 1000), control.call(limitMs)]);
        answers.push(answer);
        return [answer];
      },
    });
    await Promise.all(searches);
    const hung = (await embedding.requests()).filter((r) => r.inputs.some((i) => i.startsWith('search ')));
    // Some may have been cancelled before they got there.
    expect(hung.length, 'searches that reached the embedding service').toBeGreaterThan(0);
    await expectAliveWithout('embedding service', release, pod, control, since);
    await expectSamePod(release, pod, control);
    await expect(await control.judged(answeredWithin(answers, limitMs, inARow))).toHold();
    await expect(await control.judged(steadily)).toHold();

    await embedding.setMode('ok');
    await api.findTool({ query: 'a search after it' });
    observe(`${hung.length} searches hung, /health answered ${answers.length} times`);
  },
);

/** Calls /health through the Service, which a pod that is not ready has left. A missing answer counts as one after the timeout. */
async function timedHealth(release: Release, timeoutMs: number): Promise<TimedAnswer> {
  const what = 'GET /health';
  try {
    const { status, durationMs } = await release.http(serviceTarget(release), '/health', { timeoutMs });
    return { what, status, durationMs };
  } catch (error) {
    return { what: `${what}: ${messageOf(error)}`, status: 0, durationMs: timeoutMs };
  }
}

/**
 * The kubelet restarts nothing for longer than the liveness probe may fail. It counts the probes itself: those of the control pod.
 *
 * @param since number of the control's probes when the outage began
 */
async function expectAliveWithout(
  what: string,
  release: Release,
  pod: Pod,
  control: Control,
  since: number,
): Promise<void> {
  const { httpGet, ...liveness } = probeOf(release, pod, 'livenessProbe');
  await control.probed(since + periodsToFail(liveness));
  const result = notRestarted(await release.settleRecording(), pod.metadata.name);
  const probe = ['the liveness probe', httpGet?.path].filter((word) => word !== undefined).join(' ');
  const expected = `${probe} does not depend on the ${what}: ${result.expected}`;
  await expect(await control.judged({ ...result, expected })).toHold();
}

async function expectSamePod(release: Release, pod: Pod, control: Control): Promise<void> {
  const recording = await release.settleRecording();
  const pods = await serverPods(release);
  await expect(await control.judged(noRestartsNoOom(recording, pods))).toHold();
  expect(
    pods.map((p) => p.metadata.name),
    'pods at the end',
  ).toEqual([pod.metadata.name]);
}
