/**
 * The kit of a suite: `requirement(...)`, with which its files say what they verify, and the machinery that runs the same checks
 * against the conforming subject or, in a proof, against every fault.
 */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { afterAll, inject, test } from 'vitest';
import { createCommandRunner } from '../../core/command.ts';
import { InterruptedError } from '../../core/errors.ts';
import { createFileLog, type Log } from '../../core/log.ts';
import { clusterCapabilities } from '../../kube/helm/capabilities.ts';
import { createDeployer } from '../../kube/deploy/deployer.ts';
import { createManifestDeployer } from '../../kube/deploy/manifest-deployer.ts';
import { createHelm } from '../../kube/helm/helm.ts';
import type { AttachCluster, AttachedCluster } from './attached-cluster.ts';
import type { Check, CheckContext, CheckOptions } from './check.ts';
import type { Fault, SuiteDefinition } from './definition.ts';
import type { Environment } from './environment.ts';
import { CHECK_TIMEOUT_MS, executeCheck, type CheckOutcome } from './execute-check.ts';
import { SharedLab } from './lab.ts';
import { proveFault } from './prove-fault.ts';
import { QUIET_MS, untilQuiet } from './quiet.ts';
import type { Proof } from '../report/model.ts';
import { isRed } from '../report/verdict.ts';
import { createRedactor } from '../../core/redact.ts';
import type { WorkerConfig } from './worker-config.ts';

/** Time for clean-up and diagnosis beyond the check's own limit. */
const GRACE_MS = 120_000;
/** A proof installs, checks and removes; several run side by side because they mostly wait for Kubernetes. */
const PROOF_TIMEOUT_MS = 1_200_000;

declare module 'vitest' {
  interface TaskMeta {
    /** What `--list` shows of a check. */
    kindproofCheck?: Pick<Check, 'id' | 'file' | 'requirements' | 'title'>;
    kindproofOutcome?: CheckOutcome;
    kindproofProof?: Proof;
    /** What is being proven, for the report of a proof that dies. */
    kindproofFault?: Pick<Proof, 'fault' | 'suite' | 'requirements'>;
    /** The check was not chosen for this run. */
    kindproofUnselected?: boolean;
  }
}

type RunCheck = (context: CheckContext) => Promise<void> | void;
type ImportFile = (file: string) => Promise<unknown>;

interface DeclareRequirement {
  (ids: string | readonly string[], title: string, run: RunCheck): void;
  (ids: string | readonly string[], title: string, options: CheckOptions, run: RunCheck): void;
}

export interface SuiteKit {
  /** Declares a check of one or more requirements. */
  requirement: DeclareRequirement;
  /** Imports the suite's files and declares one vitest test for each check. */
  declareChecks: (importFile: ImportFile) => Promise<void>;
  /** Imports the suite's files and declares one vitest test for each fault to prove. */
  declareProofs: (importFile: ImportFile) => Promise<void>;
}

export function createSuiteKit(definition: SuiteDefinition, deps: { attach: AttachCluster }): SuiteKit {
  const config = inject('kindproof');
  const checks: Check[] = [];
  let importing = '';
  const session = lazily(() => openSession(definition, config, deps.attach));
  let lab: SharedLab | undefined;
  const running = new Set<Promise<unknown>>();
  const shared = lazily(async () => (lab = newLab(definition, config, await session())));

  function requirement(
    ids: string | readonly string[],
    title: string,
    optionsOrRun: CheckOptions | RunCheck,
    maybeRun?: RunCheck,
  ): void {
    const run = maybeRun ?? (optionsOrRun as RunCheck);
    const options = typeof optionsOrRun === 'function' ? {} : optionsOrRun;
    const requirements = typeof ids === 'string' ? [ids] : ids;
    const [first] = requirements;
    if (first === undefined) throw new Error(`check "${title}" names no requirement`);
    const earlier = checks.filter((c) => c.requirements[0] === first).length;
    checks.push({
      id: `${definition.name}/${first}${earlier === 0 ? '' : `#${earlier + 1}`}`,
      suite: definition.name,
      file: importing,
      title,
      requirements,
      options,
      run,
    });
  }

  async function importAll(importFile: ImportFile): Promise<void> {
    for (const file of definition.files) {
      importing = join(definition.directory, file);
      await importFile(importing);
    }
  }

  async function declareChecks(importFile: ImportFile): Promise<void> {
    await importAll(importFile);
    // What takes longest starts first: it mostly waits for Kubernetes, and the quick checks run meanwhile.
    const order = [...checks].sort(
      (a, b) => weight(a.options) - weight(b.options) || limitOf(b.options) - limitOf(a.options),
    );
    for (const [index, check] of order.entries()) declareCheck(check, isSelected(check, index));
    afterAll(async () => {
      await Promise.allSettled(running);
      // Elsewhere the shared release goes with its cluster, or is what the user keeps the cluster for.
      if (config.cluster?.fate === 'cleaned') await lab?.lifecycle.close();
    });
  }

  /**
   * Runs the body of a test. A cancelled run ends what it waits for; vitest itself turns its back on the test at once, so what the body
   * takes down then has to be waited for after all tests. One that runs alone starts when what came before it has gone.
   */
  async function attend<T>(
    signal: AbortSignal,
    alone: boolean,
    body: (opened: Session) => Promise<T>,
  ): Promise<T> {
    const opened = await session();
    const cancel = (): void => {
      // The limit of a single test aborts the signal as well.
      if (signal.reason instanceof Error && signal.reason.name === 'TestRunAbortError') opened.cancel();
    };
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel);
    const quiet = alone ? untilQuiet(opened.cluster.kube, config.runId, opened) : Promise.resolve();
    const ended = quiet.then(() => body(opened));
    running.add(ended);
    try {
      return await ended;
    } finally {
      running.delete(ended);
    }
  }

  function isSelected({ requirements }: Check, index: number): boolean {
    const { select, shard } = config;
    if (shard && index % shard.count !== shard.index - 1) return false;
    return select === undefined || requirements.some((id) => select.includes(id));
  }

  function declareCheck(check: Check, selected: boolean): void {
    const { id, file, title, requirements, options } = check;
    // One that changes what others rest on, such as nodes, waits for them and runs alone.
    const alone = options.exclusive === true;
    const declare = alone ? test : test.concurrent;
    declare(
      `${requirements.join(' ')} ${title}`,
      {
        timeout: limitOf(options) + GRACE_MS + (alone ? QUIET_MS : 0),
        tags: [
          definition.name,
          options.static ? 'static' : 'live',
          ...(options.disruptive ? ['disruptive'] : []),
        ],
        meta: {
          kindproofCheck: { id, file, requirements: [...requirements], title },
          ...(selected ? {} : { kindproofUnselected: true }),
        },
        skip: !selected,
      },
      async ({ task, skip, signal }) => {
        const outcome = await attend(signal, alone, async () => executeCheck(check, await shared()));
        task.meta.kindproofOutcome = outcome;
        const { status, reason } = outcome.result;
        if (status === 'skipped' || status === 'blocked') skip(reason);
        if (isRed(outcome.result)) throw new Error(reason);
      },
    );
  }

  async function declareProofs(importFile: ImportFile): Promise<void> {
    await importAll(importFile);
    const faults = definition.faults.filter(
      (f) => config.faults === undefined || config.faults.includes(f.name),
    );
    for (const fault of faults) {
      const touchesNodes = checks.some(
        (c) => c.options.exclusive === true && c.requirements.some((id) => fault.requirements.includes(id)),
      );
      const declare = touchesNodes ? test : test.concurrent;
      const about = { fault: fault.name, suite: definition.name, requirements: [...fault.requirements] };
      const options = {
        timeout: PROOF_TIMEOUT_MS,
        tags: [definition.name],
        meta: { kindproofFault: about },
      };
      declare(fault.name, options, async ({ task, signal }) => {
        const { proof, infrastructure } = await attend(signal, touchesNodes, (opened) =>
          proveFault(fault, checks, () => newLab(definition, config, opened, fault)),
        );
        task.meta.kindproofProof = proof;
        if (infrastructure) task.meta.kindproofOutcome = infrastructure;
        if (proof.outcome !== 'caught') throw new Error(proof.reason);
      });
    }
    afterAll(() => Promise.allSettled(running));
  }

  return { requirement, declareChecks, declareProofs };
}

function limitOf({ timeoutMs }: CheckOptions): number {
  return timeoutMs ?? CHECK_TIMEOUT_MS;
}

/** Small runs first. */
function weight({ first, exclusive, disruptive }: CheckOptions): number {
  if (first) return -1;
  if (exclusive) return 2;
  return disruptive ? 0 : 1;
}

interface Session {
  cluster: AttachedCluster;
  helmFor: (name: string) => ReturnType<typeof createHelm>;
  environment: (() => Promise<Environment>) | undefined;
  log: Log;
  /** Aborted by `cancel`. */
  signal: AbortSignal;
  cancel: () => void;
}

async function openSession(
  { environment }: SuiteDefinition,
  config: WorkerConfig,
  attach: AttachCluster,
): Promise<Session> {
  const { cluster: descriptor, helmPath } = config;
  if (!descriptor || helmPath === undefined)
    throw new Error(`mode ${config.mode} has no cluster to run checks on`);
  const log = createFileLog(
    join(config.runDirectory, 'run.jsonl'),
    { suite: config.suite },
    createRedactor(config.redact),
  );
  // The main process ends a run by cancelling it in vitest, which reaches this one through the tests' own signals.
  const controller = new AbortController();
  const { signal } = controller;
  // Every running command and wait of up to eight checks listens to it.
  setMaxListeners(0, signal);
  // Not bound to the signal: taking down goes on after an interruption.
  const run = createCommandRunner({ log });
  const cluster = await attach(descriptor);
  return {
    cluster,
    helmFor: (name) =>
      createHelm({
        run,
        helmPath,
        kubeconfig: descriptor.kubeconfig,
        context: descriptor.context,
        capabilities: clusterCapabilities(cluster.kube),
        workDir: join(config.runDirectory, '.helm', name),
        log,
        signal,
      }),
    environment:
      environment &&
      lazily(() => environment.open({ runId: config.runId, cluster, secrets: config.secrets, log, signal })),
    log,
    signal,
    cancel: () => controller.abort(new InterruptedError()),
  };
}

function newLab(
  definition: SuiteDefinition,
  config: WorkerConfig,
  session: Session,
  fault?: Fault,
): SharedLab {
  const { kube } = session.cluster;
  const helm = session.helmFor(fault?.name ?? definition.name);
  return new SharedLab({
    definition,
    subject: config.subject,
    cluster: session.cluster,
    helm,
    helmPath: config.helmPath,
    deployer: createDeployer(helm, createManifestDeployer({ kube, signal: session.signal })),
    environment: session.environment,
    runId: config.runId,
    runDirectory: config.runDirectory,
    fault,
    redact: config.redact,
    disposable: config.cluster?.fate === 'deleted',
    log: session.log,
    signal: session.signal,
  });
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
