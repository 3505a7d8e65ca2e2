/**
 * The kit of a suite: `requirement(...)` declares its checks. The same checks run against the conforming subject and, in a proof,
 * against every fault.
 */
import { basename, join } from 'node:path';
import { afterAll, inject, test, type TestContext } from 'vitest';
import type { AttachCluster } from './attached-cluster.ts';
import { adoptedChecks } from './adopted-checks.ts';
import type { Check, CheckContext, CheckOptions } from './check.ts';
import type { Fault, SuiteDefinition } from './definition.ts';
import type { MaybePrepared } from './environment.ts';
import { LONGEST_EXTENSION } from '../../core/lost-time.ts';
import { CHECK_TIMEOUT_MS, executeCheck, MOST_ATTEMPTS } from './execute-check.ts';
import { isTried, proveFault } from './prove-fault.ts';
import { subjectFor } from './reference.ts';
import { type Reservation, Room, ROOM_MS, type RoomRequest } from './room.ts';
import { roomForCheck, roomForProof, usesShared } from './room-request.ts';
import { PODS_GONE_MS, terminatingPodsGone } from './terminating-pods.ts';
import { lazily, newLab, openSession, type Session } from './session.ts';
import { isLabNamespace, type SharedLab } from './shared-lab.ts';
import type { TestRecord } from './test-record.ts';
import { CONCURRENCY, type SubjectConfig, type WorkerConfig } from './worker-config.ts';
import { requirementsOf } from './requirements.ts';
import { isRed, isUncaught } from '../report/verdict.ts';

/*
 * The limits of the test runner are for what hangs behind the back of a check. They are wide, because the runner knows nothing about lost
 * time; a check has its own limit, which does.
 */
/** For diagnosis and teardown, beyond the check's own limit. */
const GRACE_MS = 120_000;
/** A proof installs, checks and uninstalls, while others do the same. */
const PROOF_TIMEOUT_MS = 1_200_000;

type RunCheck<Options, Prepared extends MaybePrepared> = (
  context: CheckContext<Options, Prepared>,
) => Promise<void> | void;
/** Imports a file of checks by its name without `.e2e.ts`: a bundler has to see which files there are. */
type ImportFile = (folder: string, name: string) => Promise<unknown>;

interface DeclareRequirement<Options, Prepared extends MaybePrepared> {
  (ids: string | readonly string[], title: string, run: RunCheck<Options, Prepared>): void;
  (
    ids: string | readonly string[],
    title: string,
    options: CheckOptions,
    run: RunCheck<Options, Prepared>,
  ): void;
}

/** `Options`, `Prepared`: of the suite's environment. */
export interface SuiteKit<Options = unknown, Prepared extends MaybePrepared = MaybePrepared> {
  /** Declares a check of one or more requirements. */
  requirement: DeclareRequirement<Options, Prepared>;
  /** Imports the suite's files and returns its checks, for suites that adopt some of them. */
  collectChecks: (importFile: ImportFile) => Promise<readonly Check[]>;
  /** Imports the suite's files and declares one vitest test for each check. */
  declareChecks: (importFile: ImportFile) => Promise<void>;
  /**
   * Imports the suite's files and declares one vitest test for each fault whose proof can run beside others.
   *
   * @param room of all suites of the worker
   * @returns declares the others: after those of all suites of the worker, because vitest starts no concurrent test beside them
   */
  declareProofs: (importFile: ImportFile, room: Room) => Promise<() => void>;
}

/**
 * @param deps.generic the kit of the suite for any chart: its checks of `definition.shared` run on this suite's subject, too
 */
export function createSuiteKit<Options, Prepared extends MaybePrepared>(
  definition: SuiteDefinition<Options, Prepared>,
  deps: { attach: AttachCluster; generic?: SuiteKit },
): SuiteKit<Options, Prepared> {
  const config = configOf(definition.name);
  const checks: Check[] = [];
  let importing = '';
  let connected: Session | undefined;
  const session = lazily(async () => (connected = await openSession(definition, config, deps.attach)));
  let lab: SharedLab | undefined;
  const running = new Set<Promise<unknown>>();
  const shared = lazily(async () => (lab = newLab(definition, config, await session())));

  function requirement(
    ids: string | readonly string[],
    title: string,
    optionsOrRun: CheckOptions | RunCheck<Options, Prepared>,
    maybeRun?: RunCheck<Options, Prepared>,
  ): void {
    const run = maybeRun ?? (optionsOrRun as RunCheck<Options, Prepared>);
    const options = typeof optionsOrRun === 'function' ? {} : optionsOrRun;
    const requirements = typeof ids === 'string' ? [ids] : ids;
    const [first] = requirements;
    if (first === undefined) throw new Error(`check "${title}" names no requirement`);
    const check = { suite: definition.name, file: importing, title, requirements, options, run };
    checks.push({ ...check, id: nextId(first) });
  }

  function nextId(requirementId: string): string {
    const earlier = checks.filter((c) => c.requirements[0] === requirementId).length;
    return `${definition.name}/${requirementId}${earlier === 0 ? '' : `#${earlier + 1}`}`;
  }

  async function importAll(importFile: ImportFile): Promise<void> {
    for (const file of definition.files) {
      importing = join(definition.directory, file);
      await importFile(basename(definition.directory), basename(file, '.e2e.ts'));
    }
    if (!deps.generic) return;
    const rows = await requirementsOf(definition);
    const generic = await deps.generic.collectChecks(importFile);
    for (const adopted of adoptedChecks(generic, { suite: definition, rows, own: checks }))
      checks.push({ ...adopted, id: nextId(adopted.requirements[0] ?? '') });
  }

  async function collectChecks(importFile: ImportFile): Promise<readonly Check[]> {
    await importAll(importFile);
    return checks;
  }

  async function declareChecks(importFile: ImportFile): Promise<void> {
    await importAll(importFile);
    const order = [...checks].sort(
      (a, b) =>
        weight(a.options, config.subject) - weight(b.options, config.subject) ||
        typical(b.options) - typical(a.options) ||
        limitOf(b.options) - limitOf(a.options),
    );
    const isSelected = ({ id }: Check): boolean => config.checks?.includes(id) ?? true;
    const room = new Room(CONCURRENCY[config.mode]);
    const sharesRelease = checks.some((check) => isSelected(check) && usesShared(check));
    for (const check of order) declareCheck(check, { selected: isSelected(check), room, sharesRelease });
    afterAll(async () => {
      await Promise.allSettled(running);
      // Otherwise the shared release is deleted with its cluster, or kept for the user.
      if (config.cluster?.fate === 'cleaned') await lab?.lifecycle.close();
      await connected?.stalls.stop();
    });
  }

  /**
   * Runs the body of a test. A cancelled run aborts its waits. vitest stops awaiting a cancelled test immediately, so `running` keeps the
   * promise of its teardown for `afterAll`.
   *
   * @param body starts when the conditions hold
   */
  async function runBody<T>(
    { task, signal }: Pick<TestContext, 'task' | 'signal'>,
    { exclusive, once, alone = false, room, needed }: Conditions,
    body: (reservation: Pick<Reservation, 'waited' | 'notice'>) => Promise<T>,
  ): Promise<T> {
    const opened = await session();
    const cancel = (): void => {
      // The timeout of a single test aborts the signal, too.
      if (signal.reason instanceof Error && signal.reason.name === 'TestRunAbortError') opened.cancel();
    };
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel);
    const wait = async (): Promise<Reservation | undefined> => {
      if (alone) await (await shared()).makeRoom();
      if (exclusive)
        await terminatingPodsGone(opened.cluster.kube, config.runId, { ...opened, namespaces: once });
      const request = await needed();
      const isOfRun = (name: string): boolean => isLabNamespace(name, config.runId);
      return request && room.reserve(request, { ...opened, kube: opened.cluster.kube, isOfRun });
    };
    const ready = wait();
    const ended = ready.then((reservation) => body(reservation ?? {}).finally(() => reservation?.end()));
    running.add(ended);
    try {
      return await ended;
    } finally {
      running.delete(ended);
      task.meta.kindproofSecrets = opened.redactor.known;
    }
  }

  function declareCheck(
    check: Check,
    { selected, room, sharesRelease }: { selected: boolean; room: Room; sharesRelease: boolean },
  ): void {
    const { id, file, title, requirements, options } = check;
    const record: TestRecord = {
      type: 'check',
      check: {
        id,
        file,
        requirements: [...requirements],
        title,
        tags: tagsOf(check),
        ...(options.images && { images: [...options.images] }),
      },
      selected,
    };
    const once = config.subject.once === true;
    const alone = isAlone(options, config.subject);
    const exclusive = options.exclusive === true || alone;
    const declare = exclusive || options.last === true ? test : test.concurrent;
    declare(
      `${requirements.join(' ')} ${title}`,
      {
        timeout: MOST_ATTEMPTS * LONGEST_EXTENSION * (limitOf(options) + GRACE_MS + PODS_GONE_MS) + ROOM_MS,
        meta: { kindproof: record },
        skip: !selected,
      },
      async ({ task, skip, signal }) => {
        const needed = async (): Promise<RoomRequest | undefined> =>
          roomForCheck(check, await shared(), { sharesRelease: sharesRelease && !alone });
        const outcome = await runBody(
          { task, signal },
          { exclusive, once, alone, room, needed },
          async ({ waited, notice }) => {
            const { result, ...rest } = await executeCheck(check, await shared());
            const observed = [...(waited === undefined ? [] : [waited]), ...result.observed];
            return { ...rest, result: { ...result, observed }, ...(notice !== undefined && { notice }) };
          },
        );
        task.meta.kindproof = { ...record, outcome };
        const { status, reason } = outcome.result;
        if (status === 'skipped' || status === 'blocked' || status === 'not-applicable') skip(reason);
        if (isRed(outcome.result)) throw new Error(reason);
      },
    );
  }

  async function declareProofs(importFile: ImportFile, room: Room): Promise<() => void> {
    await importAll(importFile);
    const faults = definition.faults
      .filter((f) => config.faults === undefined || config.faults.includes(f.name))
      .map((fault) => {
        const own = checks.filter((c) => c.requirements.some((id) => fault.requirements.includes(id)));
        const once = subjectFor(fault, config).once === true;
        return {
          fault,
          once,
          exclusive: own.some(({ options }) => options.exclusive === true || once),
          typicalMs: own.reduce((sum, { options }) => sum + typical(options), 0),
        };
      })
      .sort((a, b) => b.typicalMs - a.typicalMs);
    for (const { fault } of faults.filter(({ exclusive }) => !exclusive))
      declareProof(fault, { exclusive: false, once: false, room });
    afterAll(async () => {
      await Promise.allSettled(running);
      await connected?.stalls.stop();
    });
    return () => {
      for (const { fault, exclusive, once } of faults)
        if (exclusive) declareProof(fault, { exclusive, once, room });
    };
  }

  function declareProof(fault: Fault, how: Pick<Conditions, 'exclusive' | 'once' | 'room'>): void {
    const declare = how.exclusive ? test : test.concurrent;
    const record: TestRecord = {
      type: 'proof',
      fault: { fault: fault.name, suite: definition.name, requirements: [...fault.requirements] },
    };
    const options = {
      timeout: MOST_ATTEMPTS * LONGEST_EXTENSION * PROOF_TIMEOUT_MS + ROOM_MS,
      meta: { kindproof: record },
    };
    declare(fault.name, options, async ({ task, signal }) => {
      const opened = await session();
      const lab = newLab(definition, config, opened, fault);
      const tried = checks.filter((check) => isTried(check, fault));
      const needed = (): Promise<RoomRequest | undefined> => Promise.resolve(roomForProof(tried, lab));
      const outcome = await runBody({ task, signal }, { ...how, needed }, async ({ notice }) => {
        const proven = await proveFault(fault, checks, () => lab);
        return { ...proven, ...(notice !== undefined && { notice }) };
      });
      task.meta.kindproof = { ...record, outcome };
      if (isUncaught(outcome.proof)) throw new Error(outcome.proof.reason);
    });
  }

  return { requirement, collectChecks, declareChecks, declareProofs };
}

/** What the body of a test waits for. */
interface Conditions {
  /** The pods of earlier checks are gone. */
  exclusive: boolean;
  /** Its subject can exist only once: their namespaces are gone, too. */
  once: boolean;
  /** The shared release has ended: the check installs a subject that can exist only once. */
  alone?: boolean;
  /** It has the room that is needed, until the body has ended. */
  room: Room;
  needed: () => Promise<RoomRequest | undefined>;
}

/** That of the suite; for a suite whose checks others adopt, that of the worker. */
function configOf(suite: string): WorkerConfig {
  const own = inject('kindproof');
  return [own, ...(own.others ?? [])].find((config) => config.suite === suite) ?? own;
}

function tagsOf({ suite, options }: Check): string[] {
  return [suite, options.static ? 'static' : 'live', ...(options.disruptive ? ['disruptive'] : [])];
}

function typical({ typicalMs = 0 }: CheckOptions): number {
  return typicalMs;
}

function limitOf({ timeoutMs }: CheckOptions): number {
  return timeoutMs ?? CHECK_TIMEOUT_MS;
}

/** A check that installs a subject that can exist only once: it runs by itself, after all that use the shared release. */
function isAlone({ release, static: isStatic }: CheckOptions, { once }: SubjectConfig): boolean {
  return once === true && release === 'none' && isStatic !== true;
}

/** Checks of a lower weight run first. */
function weight(options: CheckOptions, subject: SubjectConfig): number {
  const { first, last, exclusive, disruptive } = options;
  if (first) return -1;
  if (isAlone(options, subject)) return 4;
  if (last) return 2;
  if (exclusive) return 3;
  return disruptive || typical(options) > 0 ? 0 : 1;
}
