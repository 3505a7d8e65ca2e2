/** Image commands of the local container engine. */
import { z } from 'zod';
import { CommandError, type CommandRunner } from '../../core/command.ts';
import { systemClock, type Clock } from '../../core/deadline.ts';
import { InfrastructureError } from '../../core/errors.ts';
import { PAUSES_MS, pullError, pullProblemOf, type PullFailure } from './pull-failure.ts';

const inspected = z
  .array(
    z.object({
      Id: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).nullish(),
      RepoDigests: z.array(z.string()).nullish(),
    }),
  )
  .length(1);

/** An image in the engine. */
export interface LocalImage {
  /** `sha256:…` */
  id: string;
  labels: Record<string, string>;
  /** Its manifests in registries, `ghcr.io/me/app@sha256:…`; empty for an image that was neither pulled nor pushed. */
  manifests: string[];
}

/** Parses the output of `docker image inspect REF`. */
export function parseInspect(stdout: string): LocalImage {
  const [image] = inspected.parse(JSON.parse(stdout));
  return { id: image?.Id ?? '', labels: image?.Config?.Labels ?? {}, manifests: image?.RepoDigests ?? [] };
}

export interface EngineDeps {
  run: CommandRunner;
  signal: AbortSignal;
  clock?: Clock;
}

/** The image with this reference; `undefined` when the engine does not have it. */
export async function inspectImage(
  ref: string,
  { run, signal }: EngineDeps,
): Promise<LocalImage | undefined> {
  const result = await run.run('docker', ['image', 'inspect', ref], {
    signal,
    timeoutMs: 30_000,
    reject: false,
  });
  if (result.exitCode === 0) {
    try {
      return parseInspect(result.stdout);
    } catch (error) {
      throw new InfrastructureError('E_ENGINE', `docker returned an unexpected description of image ${ref}`, {
        cause: error,
      });
    }
  }
  if (/no such image|image not known|reference does not exist/i.test(result.stderr)) return undefined;
  // An empty or malformed reference cannot exist in any engine.
  if (/invalid reference format/i.test(result.stderr)) return undefined;
  throw new InfrastructureError(
    'E_ENGINE',
    `docker could not inspect image ${ref}: ${result.stderr.trim()}`,
    {
      hint: 'Check that the container engine is running (`npm run doctor`).',
    },
  );
}

export interface PullLimits {
  /** Limit for the first answer of the registry. */
  firstAnswerMs: number;
  totalMs: number;
}

export const PULL_LIMITS: PullLimits = { firstAnswerMs: 20_000, totalMs: 600_000 };

/**
 * Pulls an image that can also be built on this machine.
 *
 * @returns undefined on success, else the reason in one sentence: no registry delivers the image, so build it
 * @throws InfrastructureError `E_IMAGE_REFUSED`, `E_IMAGE_CORRUPT`: a registry answers, but something is wrong that a build would hide
 */
export async function pullImage(
  ref: string,
  deps: EngineDeps,
  limits: PullLimits,
  onProgress: (text: string) => void,
): Promise<string | undefined> {
  const failure = await tryPull(ref, deps, limits, onProgress);
  if (failure?.problem === 'refused' || failure?.problem === 'corrupt') throw pullError(ref, failure);
  return failure?.reason;
}

/**
 * Pulls an image. An attempt is repeated when the registry answered but did not deliver.
 *
 * @throws InfrastructureError `E_ENGINE` when the engine does not answer
 */
export async function tryPull(
  ref: string,
  deps: EngineDeps,
  limits: PullLimits,
  onProgress: (text: string) => void,
): Promise<PullFailure | undefined> {
  const clock = deps.clock ?? systemClock;
  for (let attempt = 0; ; attempt++) {
    const reason = await pullOnce(ref, deps, limits, onProgress);
    if (reason === undefined) return undefined;
    const problem = pullProblemOf(reason);
    const pauseMs = PAUSES_MS[attempt];
    if (problem !== 'busy' || pauseMs === undefined) return { problem, reason };
    onProgress(`pulling ${ref}: ${reason}; again in ${pauseMs / 1000} s`);
    await clock.sleep(pauseMs, deps.signal);
  }
}

/** @returns undefined on success, else the reason in one sentence */
async function pullOnce(
  ref: string,
  deps: EngineDeps,
  limits: PullLimits,
  onProgress: (text: string) => void,
): Promise<string | undefined> {
  const clock = deps.clock ?? systemClock;
  const silent = new AbortController();
  const answered = new AbortController();
  // `docker pull` prints its first line when the registry answers; without a network it may wait for minutes.
  const watchdog = clock.sleep(limits.firstAnswerMs, answered.signal).then(
    () => {
      silent.abort();
    },
    () => {},
  );
  try {
    const result = await deps.run.run('docker', ['pull', ref], {
      signal: AbortSignal.any([deps.signal, silent.signal]),
      timeoutMs: limits.totalMs,
      reject: false,
      onLine: (line) => {
        if (line.trim() === '') return;
        answered.abort();
        onProgress(`pulling ${ref}: ${line.trim()}`);
      },
    });
    if (result.exitCode === 0) return undefined;
    if (/cannot connect to the docker daemon|error during connect/i.test(result.stderr)) {
      throw new InfrastructureError('E_ENGINE', `docker could not pull ${ref}: ${result.stderr.trim()}`, {
        hint: 'Check that the container engine is running (`npm run doctor`).',
      });
    }
    return reasonIn(result.stderr);
  } catch (error) {
    if (deps.signal.aborted) throw error;
    if (silent.signal.aborted) return `its registry did not answer within ${limits.firstAnswerMs / 1000} s`;
    // Its message ends with the last lines of output, which say nothing about a pull that was too slow.
    if (error instanceof CommandError && error.message.includes('did not end within')) {
      return `the pull did not end within ${limits.totalMs / 1000} s`;
    }
    throw error;
  } finally {
    answered.abort();
    await watchdog;
  }
}

function reasonIn(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const last = lines.findLast((line) => line !== '') ?? 'docker pull failed without a message';
  return last.replace(/^Error response from daemon: /, '');
}
