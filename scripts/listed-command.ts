/** The command line of `npm run torture` and `npm run registry-path`: both run items of a list, and count those that ended as they must. */
import { Command } from '@commander-js/extra-typings';
import { EXIT, UsageError } from '../harness/core/errors.ts';
import { parseArguments } from '../harness/run/plan/parse-arguments.ts';
import type { Counts } from '../harness/run/report/verdict.ts';
import { interruptSignal } from './interrupt.ts';
import { reportFailure } from './report-failure.ts';

export interface Listed {
  /** For `--only`; kebab-case. */
  id: string;
  title: string;
  /** Part of `npm test`. */
  quick?: boolean;
}

export interface ListedCommand<T extends Listed> {
  /** Of the command, as in `npm run <name>`. */
  name: string;
  description: string;
  /** What one item is called: `case` or `scenario`. */
  item: string;
  items: readonly T[];
  examples: string;
  /** Prints a table of the results. */
  run: (items: readonly T[], signal: AbortSignal) => Promise<Counts>;
}

/** The items of `npm test`. */
export function quickOf<T extends Listed>(items: readonly T[]): T[] {
  return items.filter(({ quick }) => quick === true);
}

/** Writes progress to standard error and results to standard output; returns the exit code. */
export async function runListedCommand<T extends Listed>(
  { name, description, item, items, examples, run }: ListedCommand<T>,
  argv: readonly string[],
): Promise<number> {
  const command = new Command(name)
    .description(description)
    .option('--only <id...>', `only these ${item}s`)
    .option('--quick', `only the ${item}s of \`npm test\``, false)
    .option('--list', `list the ${item}s`, false)
    .addHelpText('after', examples);
  const interrupt = interruptSignal();
  try {
    const options = parseArguments(command, argv, (text) => process.stdout.write(text));
    if (!options) return EXIT.passed;
    const { only, quick, list } = options;
    const unknown = only?.find((id) => !items.some((one) => one.id === id));
    if (unknown !== undefined) {
      throw new UsageError('E_OPTION', `there is no ${item} "${unknown}"`, {
        hint: `npm run ${name} -- --list`,
      });
    }
    const all = quick ? quickOf(items) : items;
    const chosen = only ? items.filter(({ id }) => only.includes(id)) : all;
    if (list) {
      for (const { id, title } of chosen) console.log(`${id.padEnd(20)} ${title}`);
      return EXIT.passed;
    }
    const counts = await run(chosen, interrupt.signal);
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    return counts.failed === 0 ? EXIT.passed : EXIT.checkFailed;
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  } finally {
    interrupt.dispose();
  }
}
