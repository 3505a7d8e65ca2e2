/** Containers that ended and run again: nothing is wrong any more, but it happened, and its log is still there. */
import { count, listed, logTail } from '../../../core/wording.ts';
import type { Cause } from '../diagnosis.ts';
import type { Pod, Workload } from '../../../kube/api/types.ts';
import type { Explanation, World } from '../world.ts';
import { containerStatuses, failedLog, RANK } from '../world.ts';
import { endsWithItsInput, exitText, NO_INPUT } from './exit-code.ts';
import { HINT } from './hints.ts';
import { allContainers } from './probe.ts';

/** Words of databases and migration tools for "somebody else is doing the same". */
const RACE =
  /already exists|duplicate key value|UniqueViolation|deadlock detected|could not serialize access|lock wait timeout|database is locked/i;
/** In a command: names of tools and scripts that migrate. */
const MIGRATION = /\b(alembic|flyway|liquibase|dbmate|migrate|migrations?)\b/i;

/** Whether the log shows several processes that change the same data. */
export function isRace(log: string | undefined): boolean {
  return RACE.test(log ?? '');
}

interface Recovery {
  pod: Pod;
  container: string;
  exit: string;
  log: string | undefined;
  /** It may have ended because it has no input. */
  hasNoInput: boolean;
}

/** One chain for each container name and exit code. They rank last: shown only when nothing else is wrong. */
export function explainRecovered(world: World): Explanation[] {
  const groups = new Map<string, Recovery[]>();
  for (const recovery of world.pods.flatMap((pod) => recoveriesOf(pod, world))) {
    const key = `${recovery.container} ${recovery.exit}`;
    groups.set(key, [...(groups.get(key) ?? []), recovery]);
  }
  return [...groups.values()].flatMap((group) => chainOf(group, world) ?? []);
}

function recoveriesOf(pod: Pod, world: World): Recovery[] {
  return containerStatuses(pod).flatMap(({ name, state, ready, restartCount, lastState }) => {
    const ended = lastState?.terminated;
    if (!state?.running || !ready || restartCount === 0 || !ended) return [];
    const { exitCode, signal, reason } = ended;
    const exit = reason === 'OOMKilled' ? 'OOMKilled (137)' : `exit code ${exitText(exitCode, signal)}`;
    const spec = allContainers(pod).find((one) => one.name === name);
    const hasNoInput = exitCode === 0 && endsWithItsInput(spec, ended);
    return [{ pod, container: name, exit, log: failedLog(world, pod.metadata.name, name), hasNoInput }];
  });
}

function chainOf(group: readonly Recovery[], world: World): Explanation | undefined {
  const [first] = group;
  if (!first) return undefined;
  const { container, exit } = first;
  const names = group.map(({ pod }) => pod.metadata.name);
  const where =
    names.length === 1 ? `pod ${names[0] ?? ''}` : `${count(names.length, 'pod')} (${listed(names, 3)})`;
  const telling = group.find(({ log }) => isRace(log)) ?? group.find(({ log }) => log?.trim()) ?? first;
  const tail = logTail(telling.log);
  const causes: Cause[] = [
    {
      object: `Container ${container} of ${where}`,
      says: `ended with ${exit}, was restarted, and is ready now`,
    },
    ...(first.hasNoInput ? [{ object: `Container ${container}`, says: NO_INPUT }] : []),
    ...(tail === undefined ? [] : [{ object: `Log of ${container}`, says: `ended: ${tail}` }]),
    ...migratingCommand(telling, world),
  ];
  return {
    causes,
    hint: isRace(telling.log) ? HINT.race : first.hasNoInput ? HINT.noInput : HINT.crash,
    rank: RANK.recovered,
  };
}

/** The container migrates before it serves, and so does each of its replicas. */
function migratingCommand({ pod, container, log }: Recovery, world: World): Cause[] {
  const spec = allContainers(pod).find(({ name }) => name === container);
  const tool = MIGRATION.exec([...(spec?.command ?? []), ...(spec?.args ?? [])].join(' '))?.[0];
  const replicas = siblingsOf(pod, world);
  if (tool === undefined || replicas < 2 || !isRace(log)) return [];
  return [
    {
      object: `Command of ${container}`,
      says: `names "${tool}" and starts with each of ${count(replicas, 'replica')}, so they migrate at the same time`,
    },
  ];
}

function siblingsOf({ metadata }: Pod, { workloads }: World): number {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  const workload = workloads.find((one: Workload) => one.metadata.uid === owner?.uid);
  return workload?.spec.replicas ?? 1;
}
