/** Image commands of the local container engine. */
import { z } from 'zod';
import type { CommandRunner } from '../../core/command.ts';
import type { Clock } from '../../core/deadline.ts';
import { systemClock } from '../../core/deadline.ts';
import { InfrastructureError } from '../../core/errors.ts';

const inspected = z
  .array(
    z.object({
      Id: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).nullish(),
    }),
  )
  .length(1);

/** An image in the engine. */
export interface LocalImage {
  /** `sha256:…` */
  id: string;
  labels: Record<string, string>;
}

/** Parses the output of `docker image inspect REF`. */
export function parseInspect(stdout: string): LocalImage {
  const [image] = inspected.parse(JSON.parse(stdout));
  return { id: image?.Id ?? '', labels: image?.Config?.Labels ?? {} };
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

/** Pulls an image. Returns `undefined` on success, else the reason in one sentence. */
export async function pullImage(
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
    return result.exitCode === 0 ? undefined : pullReason(result.stderr);
  } catch (error) {
    if (deps.signal.aborted) throw error;
    if (silent.signal.aborted) return `its registry did not answer within ${limits.firstAnswerMs / 1000} s`;
    return pullReason(error instanceof Error ? error.message : String(error));
  } finally {
    answered.abort();
    await watchdog;
  }
}

function pullReason(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const last = lines.findLast((line) => line !== '') ?? 'docker pull failed without a message';
  return last.replace(/^Error response from daemon: /, '');
}
