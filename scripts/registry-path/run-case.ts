/** Runs a case, and judges it. */
import type { CommandRunner } from '../../harness/core/command.ts';
import { exitCodeOf, InterruptedError, KindproofError, messageOf } from '../../harness/core/errors.ts';
import type { Case } from './cases.ts';
import type { RegistryPath } from './registry-path.ts';

export interface Result {
  title: string;
  outcome: string;
  /** What is wrong; undefined when kindproof reacted as it must. */
  fault: string | undefined;
}

/** Starts from an engine without images. */
export async function runCase(one: Case, path: RegistryPath): Promise<Result> {
  await path.forgetImages();
  const counted = countingPulls(path.run);
  const [kind, times] = typeof one.fault === 'string' ? [one.fault, undefined] : one.fault;
  path.proxy.inject(kind === 'none' ? undefined : kind, times);
  try {
    const outcome = await one.act({ ...path, run: counted.run }).then(String, describe);
    return { title: one.title, outcome, fault: faultOf(one, outcome, counted.pulls(), path.proxy.failed()) };
  } finally {
    path.proxy.inject(undefined);
  }
}

/** The engine of the cases must not remove the bridge of the user's engine, which an engine without a bridge does if it can. */
export function bridgeResult(isThere: boolean): Result {
  return {
    title: 'bridge docker0 of the user, beside an engine without a bridge',
    outcome: isThere ? 'still there' : 'gone',
    fault: isThere ? undefined : 'the bridge was removed',
  };
}

function faultOf({ outcome: expected, pulls, fault }: Case, outcome: string, asked: number, failed: number) {
  const missing = expected.filter((pattern) => !pattern.test(outcome));
  if (missing.length > 0) return `does not match ${missing.map(String).join(', ')}`;
  if (pulls !== undefined && asked !== pulls) return `pulled ${asked} times, not ${pulls}`;
  if (fault !== 'none' && failed === 0) return 'no request met the fault';
  return undefined;
}

function describe(error: unknown): string {
  if (error instanceof InterruptedError) throw error;
  if (!(error instanceof KindproofError)) return messageOf(error);
  return `${error.code}, exit ${exitCodeOf(error)}: ${messageOf(error)} (${error.hint ?? 'no hint'})`.replaceAll(
    /\s+/g,
    ' ',
  );
}

function countingPulls(commands: CommandRunner): { run: CommandRunner; pulls: () => number } {
  let pulls = 0;
  return {
    run: {
      run: (file, args, options) => {
        if (args[0] === 'pull') pulls += 1;
        return commands.run(file, args, options);
      },
    },
    pulls: () => pulls,
  };
}

/** A Markdown table: case, outcome, and whether that is right. */
export function resultTable(results: readonly Result[]): string {
  const rows = results.map(({ title, outcome, fault }) => [title, cell(outcome), fault ?? '✓']);
  const lines = [['registry', 'outcome', ''], ['---', '---', '---'], ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** A long outcome is shown from its start; what is wrong is in the last column. */
function cell(text: string): string {
  const short = text.length <= 160 ? text : `${text.slice(0, 159)}…`;
  return short.replaceAll('|', '\\|');
}
