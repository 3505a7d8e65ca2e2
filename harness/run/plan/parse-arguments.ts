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
