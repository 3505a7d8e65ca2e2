/** No restart, no OOM kill, no eviction and no lost readiness, over the whole recording and beside control pods. */
import type { NodeAccess } from '../../../harness/kube/cluster/cluster.ts';
import { cgroupOf } from '../../../clusters/nodes/container-cgroup.ts';
import { noRestartsNoOom, type CgroupKills } from '../../../harness/observe/predicates/live/restarts.ts';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { consistently } from '../../../harness/observe/waits/consistently.ts';
import { waitFor, WaitTimeout } from '../../../harness/core/deadline.ts';
import { CheckFailure, InfrastructureError } from '../../../harness/core/errors.ts';
import type { Container, Pod } from '../../../harness/kube/api/types.ts';
import { ownPods } from '../../../harness/kube/api/workload-pods.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import {
  countedAnswers,
  evictions,
  probeEffects,
  silentControls,
  type Judgement,
  type PairedAnswer,
} from '../../pods/beside-controls.ts';
import { startControls, type ControlPods } from '../../pods/control-pods.ts';
import { probedBeside } from '../../pods/probed-beside.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { restrictingOf, withoutPolicies } from '../../any-chart/network-policies.ts';
import { requirement } from '../kit.ts';
import { portOf, serverIn, serverOf } from '../server.ts';
import { serverPods } from '../server-pods.ts';

const ROUNDS = 24;
const PATHS = ['/health', '/ready'];

/** Long enough for the documented liveness probe to restart a container that hangs: 3 failures 10 s apart, 5 s each. */
const SOAK_MS = 45_000;

/** Error codes for a container that has ended. */
const ENDED: ReadonlySet<string> = new Set(['E_CGROUP_GONE', 'E_NOT_RUNNING']);

/** Policies are lifted some time after they were told to. Without any answer, the rounds that follow say so. */
async function anyAnswer(ask: () => Promise<readonly PairedAnswer[]>): Promise<void> {
  await waitFor<undefined>({
    what: 'an answer of every pod',
    timeoutMs: 60_000,
    look: async () =>
      (await ask()).every(({ status }) => status !== undefined)
        ? { done: true, value: undefined }
        : { done: false, seen: 'some are silent' },
  }).catch((error: unknown) => {
    if (!(error instanceof WaitTimeout)) throw error;
  });
}

async function controlsOf(lab: Lab, release: Release): Promise<ControlPods> {
  const { name } = serverIn(release).container;
  const like = ({ spec }: Pod): Container | undefined => spec.containers.find((one) => one.name === name);
  return startControls(lab, release, { pods: await serverPods(release), like });
}

requirement(
  'T-47',
  'answers every probe over a period of time and never becomes unready',
  async ({ release, lab, observe }) => {
    const pods = await serverPods(release);
    const server = serverIn(release);
    const { number } = portOf(server);
    const controls = await controlsOf(lab, release);
    const ask = (): Promise<PairedAnswer[]> =>
      Promise.all(pods.flatMap((pod) => PATHS.map((path) => controls.ask(pod, number, path))));
    const pairs: PairedAnswer[] = [];
    const askAll = (): Promise<PredicateResult> =>
      consistently({
        count: ROUNDS,
        intervalMs: 500,
        ask: async () => {
          const round = await ask();
          pairs.push(...round);
          return countedAnswers(round);
        },
      });
    // The API server asks, which a policy may deny.
    const isRestricted = restrictingOf(server.workload, 'ingress').length > 0;
    const answers = await (isRestricted
      ? withoutPolicies(lab, release, async () => {
          await anyAnswer(ask);
          return askAll();
        })
      : askAll());
    decided(silentControls(pairs));
    await expect(answers).toHold();
    const recording = await release.settleRecording();
    const control = await controls.record();
    await expectNone('pod becomes unready', probeEffects(recording, pods, control, control.from));
    observe(`${pods.length} pods, ${ROUNDS} rounds of /health and /ready, beside control pods`);
  },
);

requirement(
  'T-45',
  'never had a restart, an OOM kill or an eviction',
  { typicalMs: 60_000 },
  async ({ release, lab, cluster, observe }) => {
    const controls = await controlsOf(lab, release);
    await probedBeside(SOAK_MS);
    const { nodes } = cluster;
    const { pods, kills } = nodes
      ? await countedKills(nodes, () => serverPods(release))
      : { pods: await serverPods(release), kills: [] };
    const recording = await release.settleRecording();
    observe(
      nodes
        ? `${kills.length} containers, including the OOM counters of their cgroups`
        : 'without access to the nodes, an OOM kill of a child process would not be noticed',
    );
    const effects = probeEffects(recording, pods, await controls.record());
    const others = pods.filter(({ metadata }) => !effects.excused.has(metadata.name));
    if (others.length > 0 || kills.some(({ oomKills }) => oomKills > 0)) {
      await expect(noRestartsNoOom(recording, others, kills)).toHold();
    }
    const replicaSets = recording.objects('ReplicaSet');
    const own = ownPods(await serverOf(release).read(), recording.pods(), replicaSets);
    await expectNone(
      'pod is evicted',
      evictions(recording, new Set(own.map(({ metadata }) => metadata.name))),
    );
    await expectNone('pod is restarted by a probe or becomes unready', effects);
  },
);

async function expectNone(what: string, { broken, undecided }: Judgement): Promise<void> {
  await expect(nothingWrong(`no ${what}`, broken)).toHold();
  decided(undecided);
}

/** @throws InfrastructureError when there are reasons why nothing follows from what was measured */
function decided([reason, ...others]: readonly string[]): void {
  if (reason === undefined) return;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  throw new InfrastructureError('E_CONTROL', `the machine may be the cause: ${reason}${more}`, {
    hint: 'Run again when the machine does nothing else.',
  });
}

/** OOM kills as the nodes counted them. A container that is being restarted has no cgroup until it runs. */
async function countedKills(
  nodes: NodeAccess,
  readPods: () => Promise<Pod[]>,
): Promise<{ pods: Pod[]; kills: CgroupKills[] }> {
  return waitFor({
    what: 'every container to have a cgroup on its node',
    timeoutMs: 60_000,
    look: async () => {
      const pods = await readPods();
      const containers = pods.flatMap((pod) => pod.spec.containers.map(({ name }) => ({ pod, name })));
      try {
        const kills = await Promise.all(
          containers.map(async ({ pod, name }) => ({
            pod: pod.metadata.name,
            container: name,
            oomKills: (await (await cgroupOf(nodes, pod, name)).memory()).oomKills,
          })),
        );
        return { done: true, value: { pods, kills } };
      } catch (error) {
        if (error instanceof CheckFailure && ENDED.has(error.code))
          return { done: false, seen: error.message };
        throw error;
      }
    },
  });
}
