/** What the application depends on goes away or hangs: it is not restarted for that, and comes back by itself. */
import { consistently } from '../../harness/observe/predicates/live/consistency.ts';
import { answeredWithin, type TimedAnswer } from '../../harness/observe/predicates/live/traffic.ts';
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';
import { CheckFailure, messageOf } from '../../harness/core/errors.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { registryApi, untilHealthy } from './api-client.ts';
import { untilBehindService } from './behind-service.ts';
import { registryOf } from './environment.ts';
import { requirement } from './kit.ts';
import { DEPLOYMENT, SERVICE } from './names.ts';
import { longerThan, patienceMs, probeOf, toleranceOf } from './probes.ts';
import { impatientLiveness, replicas } from './variants.ts';

/** For a kubelet that is busy. */
const SLACK_MS = 60_000;
/** Until the application has connected again and its readiness has been asked for. */
const BACK_MS = 120_000;

requirement(
  'R-51',
  'gets no traffic while its database is down or hangs, is not restarted, and comes back by itself',
  { release: 'none', disruptive: true, timeoutMs: 600_000 },
  async ({ lab, observe }) => {
    const release = await lab.install({
      patches: [...replicas(1), ...impatientLiveness],
      environment: { server: 'own' },
    });
    const registry = registryOf(release);
    const { server } = registry;
    const outages = [
      {
        title: 'stopped',
        begin: () => server.stop(),
        // It may have another address now.
        end: () => server.start().then(() => registry.connect()),
      },
      { title: 'frozen', begin: () => server.pause(), end: () => server.unpause() },
    ];
    const [pod] = await release.pods();
    if (!pod) throw new CheckFailure('E_SELECTED_NOTHING', 'a pod is needed');
    // Who has not come yet cannot leave.
    await untilBehindService(release, [pod]);
    for (const { title, begin, end } of outages) {
      await begin();
      await untilBehindService(release, [], {
        what: `Service ${SERVICE} to lead to nobody while the database is ${title}`,
        timeoutMs: patienceMs(probeOf(pod, 'readinessProbe')) + SLACK_MS,
      });
      await expect(aliveWithout('database', release, pod)).toHold();
      await end();
      const what = `the replica to be back after the database was ${title}`;
      await untilBehindService(release, [pod], { what, timeoutMs: BACK_MS });
      const { status, body } = await untilHealthy(registryApi(release));
      expect(status, `GET /health after the database was ${title}`).toBe(200);
      expect(body.database, `database in /health after it was ${title}`).toBe(true);
      observe(`${title}: out of the Service, alive, and back`);
    }
    await expectSamePod(release, pod);
  },
);

requirement(
  'R-52',
  'answers /health within the probe timeout while the embedding service hangs, and is not restarted',
  { release: 'none', disruptive: true, timeoutMs: 480_000 },
  async ({ lab, observe }) => {
    const release = await lab.install({ patches: [...replicas(1), ...impatientLiveness] });
    const { embedding } = registryOf(release);
    const [pod] = await release.pods();
    if (!pod) throw new CheckFailure('E_SELECTED_NOTHING', 'a pod is needed');
    const api = registryApi(release);
    await embedding.setMode('hang');
    // Somebody waits for an answer all the while, as in life.
    const searches = Array.from({ length: 8 }, (_, index) =>
      api.ask('POST', '/mcp/find_tool', { query: `search ${index}` }).catch(() => undefined),
    );
    const liveness = probeOf(pod, 'livenessProbe');
    const limitMs = (liveness.timeoutSeconds ?? 1) * 1000;
    const inARow = toleranceOf(liveness);
    const answers: TimedAnswer[] = [];
    const [steadily, alive] = await Promise.all([
      consistently({
        ...longerThan(liveness),
        inARow,
        ask: async () => {
          const answer = await health(release, limitMs + 1000);
          answers.push(answer);
          return [answer];
        },
      }),
      aliveWithout('embedding service', release, pod),
    ]);
    await Promise.all(searches);
    const hung = (await embedding.requests()).filter((r) => r.inputs.some((i) => i.startsWith('search ')));
    // Some may have given up on their way there.
    expect(hung.length, 'searches that the embedding service was asked for').toBeGreaterThan(0);
    // Before the restart that it leads to, which a grace period may put off until nobody looks any more.
    await expect(alive).toHold();
    await expectSamePod(release, pod);
    await expect(answeredWithin(answers, limitMs, inARow)).toHold();
    await expect(steadily).toHold();

    await embedding.setMode('ok');
    await api.findTool({ query: 'a search after it' });
    observe(`${hung.length} searches hung, /health answered ${answers.length} times`);
  },
);

/** Through the Service, which a pod that is not ready has left. No answer counts as one that came at the end of the time. */
async function health(release: Release, timeoutMs: number): Promise<TimedAnswer> {
  const what = 'GET /health';
  try {
    const target = { kind: 'Service', name: SERVICE, port: 8000 } as const;
    const { status, durationMs } = await release.http(target, '/health', { timeoutMs });
    return { what, status, durationMs };
  } catch (error) {
    return { what: `${what}: ${messageOf(error)}`, status: 0, durationMs: timeoutMs };
  }
}

/** The process answers its liveness probe for longer than it would take to be restarted for not doing so. */
async function aliveWithout(what: string, release: Release, pod: Pod): Promise<PredicateResult> {
  const { httpGet, ...liveness } = probeOf(pod, 'livenessProbe');
  const path = httpGet?.path ?? '/live';
  const { name } = pod.metadata;
  const verdict = await consistently({
    ...longerThan(liveness),
    inARow: toleranceOf(liveness),
    ask: async () => {
      const { status } = await release.http({ kind: 'Pod', name, port: 8000 }, path);
      return [{ what: `${path} of ${name}`, status }];
    },
  });
  const expected = `the liveness probe ${path} does not ask for the ${what}: ${verdict.expected}`;
  return { ...verdict, expected };
}

async function expectSamePod(release: Release, pod: Pod): Promise<void> {
  await release.settleRecording();
  await expect(release.deployment(DEPLOYMENT)).toHaveNoRestarts();
  const pods = await release.pods();
  expect(
    pods.map((p) => p.metadata.name),
    'pods at the end',
  ).toEqual([pod.metadata.name]);
}
