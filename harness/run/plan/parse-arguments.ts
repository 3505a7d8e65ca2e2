/** Parses the arguments of a command with commander, without ending the process. */
import { type Command, CommanderError, InvalidArgumentError } from '@commander-js/extra-typings';
import { UsageError } from '../../core/errors.ts';

/** What commander infers from the declared options. */
export type OptionsOf<C extends { opts: () => unknown }> = ReturnType<C['opts']>;

/**
 * Parses `argv`; unknown options and excess arguments are errors with a suggestion.
 *
 * @returns the options; undefined for `--help`, whose text is written to `out`
 * @throws UsageError `E_OPTION`
 */
export function parseArguments<Args extends unknown[], Options extends Record<string, unknown>>(
  command: Command<Args, Options>,
  argv: readonly string[],
  out: (text: string) => void,
): Options | undefined {
  command
    .allowExcessArguments(false)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: () => {} });
  try {
    command.parse([...argv], { from: 'user' });
    return command.opts();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError('E_OPTION', error.message.replace(/^error: /, ''), {
      hint: `Run \`npm run ${command.name()} -- --help\` for the options and examples.`,
    });
  }
}

/** Parser of an option that takes a count. */
export function positiveInteger(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('a whole number from 1 on is needed.');
  return Number(text);
}

/** Parser of an option that takes a count, or 0. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number is needed.');
  return Number(text);
}

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Timers hold at most 2³¹ ms, which is 596 hours. */
const LONGEST_MS = 500 * UNIT_MS.h;

/** Parser of an option that takes a duration: `5400s`, `90m`, `2h`. Returns milliseconds. */
export function duration(text: string): number {
  const [, number, unit] = /^([1-9]\d*)([smh])$/.exec(text) ?? [];
  const ms = Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS];
  if (!(ms <= LONGEST_MS)) {
    throw new InvalidArgumentError('a duration of at most 500h is needed, for example 90m, 5400s or 2h.');
  }
  return ms;
}
