/** `kind create cluster`, with progress, evidence and a cause when it fails. */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CommandRunner } from '../../harness/core/command.ts';
import { CommandError } from '../../harness/core/command.ts';
import type { Clock } from '../../harness/core/deadline.ts';
import { seconds } from '../../harness/core/deadline.ts';
import { InfrastructureError, InterruptedError, messageOf } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import { likelyCause } from './creation-cause.ts';
import { collectCreationEvidence } from './creation-evidence.ts';
import { deleteCluster } from './delete-cluster.ts';
import { parseKindStage } from './kind-progress.ts';

export interface CreationDeps {
  /** Not bound to the signal of the run: evidence and removal need it after an interrupt. */
  run: CommandRunner;
  kindPath: string;
  log: Log;
  clock: Clock;
  signal: AbortSignal | undefined;
}

export interface Creation {
  name: string;
  kubeconfig: string;
  /** Text of kind's configuration file. */
  config: string;
  evidenceDirectory: string | undefined;
  timeoutMs: number;
  onProgress: (text: string) => void;
}

/**
 * Prepares the run's own kubeconfig: an empty file that only its owner reads, before anybody writes credentials into it. A lock that
 * an interrupted kind left behind would stop the next one for ever (kind, pkg/cluster/internal/kubeconfig).
 */
export async function prepareKubeconfig(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await rm(`${file}.lock`, { force: true });
  await writeFile(file, '', { mode: 0o600 });
  await chmod(file, 0o600);
}

/** A stage of the creation failed; becomes E_CLUSTER_CREATE with evidence. */
export class StageFailure extends Error {
  readonly stage: string;
  readonly output: string;
  /** More files of evidence, by name. */
  readonly evidence: Record<string, string>;
  constructor(stage: string, output: string, cause: unknown, evidence: Record<string, string> = {}) {
    super(`${stage}: ${messageOf(cause)}`, { cause });
    this.stage = stage;
    this.output = output;
    this.evidence = evidence;
  }
}

/**
 * Runs kind. Nodes of a failed creation are kept (`--retain`), because they hold the reason.
 *
 * @throws StageFailure, or InterruptedError when the signal aborts
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
        timeoutMs: creation.timeoutMs,
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
    throw new StageFailure(stage, output, error);
  }
}

/**
 * Runs the steps of a creation. When one fails, evidence is collected first, then everything half-made is removed.
 *
 * @throws InfrastructureError `E_CLUSTER_CREATE` with stage, likely cause, hint and where the evidence is; InterruptedError as it is:
 *   the caller's own undoing removes what is there
 */
export async function withEvidence<T>(
  creation: Pick<Creation, 'name' | 'kubeconfig' | 'evidenceDirectory' | 'onProgress'>,
  deps: CreationDeps,
  steps: () => Promise<T>,
): Promise<T> {
  const start = deps.clock.now();
  try {
    return await steps();
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    const took = seconds(deps.clock.now() - start);
    const failure = error instanceof StageFailure ? error : new StageFailure('set-up', '', error);
    creation.onProgress(`${failure.stage} failed; collecting evidence`);
    const collected = await collectCreationEvidence(deps.run, {
      cluster: creation.name,
      directory: creation.evidenceDirectory,
      kindOutput: failure.output,
      more: failure.evidence,
    });
    const { cause, hint } = likelyCause(`${messageOf(failure.cause)}\n${failure.output}\n${collected}`);
    const leftovers = await removeHalfMade(creation, deps);
    const evidence = creation.evidenceDirectory;
    throw new InfrastructureError(
      'E_CLUSTER_CREATE',
      [
        `cluster ${creation.name} could not be created: "${failure.stage}" failed after ${took}; likely cause: ${cause}`,
        lastLines(messageOf(failure.cause), 15),
        ...(evidence === undefined ? [] : [`evidence: ${evidence}`]),
        ...(leftovers === undefined ? [] : [`and it could not be removed: ${leftovers}`]),
      ].join('\n'),
      { hint, cause: failure.cause, details: { stage: failure.stage, likelyCause: cause, evidence } },
    );
  }
}

async function removeHalfMade(
  creation: { name: string; kubeconfig: string },
  deps: CreationDeps,
): Promise<string | undefined> {
  try {
    const { name, kubeconfig } = creation;
    await deleteCluster(deps.run, name, { kubeconfig, log: deps.log, clock: deps.clock, interrupted: true });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
