/** Runs `kind create cluster` with progress. On failure, collects evidence and names the likely cause. */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CommandRunner } from '../../harness/core/command.ts';
import { CommandError } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { seconds } from '../../harness/core/deadline.ts';
import { InfrastructureError, InterruptedError, messageOf } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import { lastLines } from '../../harness/core/wording.ts';
import { ClusterExistsError } from './cluster-name.ts';
import { likelyCause } from './creation-cause.ts';
import { collectCreationEvidence } from './creation-evidence.ts';
import { deleteCluster } from './delete-cluster.ts';
import { parseKindStage } from './kind-progress.ts';

export interface CreationDeps {
  /** Not bound to the signal of the run: collecting evidence and removing the cluster need it after an interrupt. */
  run: CommandRunner;
  kindPath: string;
  log: Log;
  clock: Clock;
  signal: AbortSignal | undefined;
}

export interface Creation {
  name: string;
  kubeconfig: string;
  /** Content of kind's configuration file. */
  config: string;
  evidenceDirectory: string | undefined;
  onProgress: (text: string) => void;
}

const CREATE_MS = 600_000;

/**
 * Creates the run's own kubeconfig as an empty file, readable only by its owner before credentials are written. Removes the lock file of
 * an interrupted kind, which would block the next one (kind, pkg/cluster/internal/kubeconfig).
 */
export async function prepareKubeconfig(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await rm(`${file}.lock`, { force: true });
  await writeFile(file, '', { mode: 0o600 });
  await chmod(file, 0o600);
}

/** A failed stage of the creation; becomes E_CLUSTER_CREATE with evidence. */
export class StageFailure extends Error {
  readonly stage: string;
  readonly output: string;
  /** Additional evidence, by file name. */
  readonly evidence: Record<string, string>;
  constructor(stage: string, output: string, cause: unknown, evidence: Record<string, string> = {}) {
    super(`${stage}: ${messageOf(cause)}`, { cause });
    this.stage = stage;
    this.output = output;
    this.evidence = evidence;
  }
}

/**
 * Runs kind. `--retain` keeps the nodes of a failed creation, because they hold the evidence.
 *
 * @throws StageFailure; InterruptedError; ClusterExistsError when another process created the cluster in the meantime
 */
export async function runKindCreate(creation: Creation, deps: CreationDeps): Promise<void> {
  const { name, kubeconfig, onProgress } = creation;
  let stage = 'start of kind';
  const lines: string[] = [];
  try {
    await deps.run.run(
      deps.kindPath,
      ['create', 'cluster', '--name', name, '--kubeconfig', kubeconfig, '--retain', '--config', '-'],
      {
        input: creation.config,
        env: { KUBECONFIG: kubeconfig },
        timeoutMs: CREATE_MS,
        signal: deps.signal,
        onLine: (line) => {
          lines.push(line);
          const reached = parseKindStage(line);
          if (reached === undefined) return;
          stage = reached.title;
          deps.log.debug('kind', { cluster: name, stage: reached.title, state: reached.state });
          if (reached.state === 'started') onProgress(reached.title);
        },
      },
    );
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    const output =
      error instanceof CommandError ? `${error.result.stdout}${error.result.stderr}` : lines.join('\n');
    if (/node\(s\) already exist for a cluster with the name/i.test(output))
      throw new ClusterExistsError(name);
    throw new StageFailure(stage, output, error);
  }
}

/**
 * Runs the steps of a creation. On failure, collects evidence and then removes the partly created cluster.
 *
 * @throws InfrastructureError `E_CLUSTER_CREATE` with stage, likely cause, hint and evidence directory
 * @throws InterruptedError and ClusterExistsError unchanged, without removing anything
 */
export async function withEvidence<T>(
  creation: Omit<Creation, 'config'>,
  deps: CreationDeps,
  steps: () => Promise<T>,
): Promise<T> {
  const start = deps.clock.now();
  try {
    return await steps();
  } catch (error) {
    if (error instanceof InterruptedError || error instanceof ClusterExistsError) throw error;
    const took = seconds(deps.clock.now() - start);
    const failure = error instanceof StageFailure ? error : new StageFailure('setup', '', error);
    creation.onProgress(`${failure.stage} failed; collecting evidence`);
    const collected = await collectCreationEvidence(deps.run, {
      cluster: creation.name,
      directory: creation.evidenceDirectory,
      kindOutput: failure.output,
      more: failure.evidence,
    });
    const { cause, hint } = likelyCause(`${messageOf(failure.cause)}\n${failure.output}\n${collected}`);
    const problem = await tryToRemove(creation, deps);
    const evidence = creation.evidenceDirectory;
    throw new InfrastructureError(
      'E_CLUSTER_CREATE',
      [
        `cluster ${creation.name} could not be created: "${failure.stage}" failed after ${took}; likely cause: ${cause}`,
        lastLines(messageOf(failure.cause), 15),
        ...(evidence === undefined ? [] : [`evidence: ${evidence}`]),
        ...(problem === undefined ? [] : [`and it could not be removed: ${problem}`]),
      ].join('\n'),
      { hint, cause: failure.cause, details: { stage: failure.stage, likelyCause: cause, evidence } },
    );
  }
}

/** @returns why the cluster could not be removed */
async function tryToRemove(
  { name, kubeconfig }: { name: string; kubeconfig: string },
  { run, log, clock }: CreationDeps,
): Promise<string | undefined> {
  try {
    await deleteCluster(run, name, { kubeconfig, log, clock, interrupted: true });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
