/** Arguments of the small commands: unknown options are errors with a suggestion. */
import { type Command, CommanderError } from 'commander';
import { UsageError } from '../harness/core/errors.ts';

/**
 * Parses with commander, without ending the process.
 *
 * @returns false when only help was asked for; it has been written to `out`
 * @throws UsageError `E_OPTION`
 */
export function parseArguments(
  command: Command,
  argv: readonly string[],
  out: (text: string) => void,
): boolean {
  command
    .allowExcessArguments(false)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: () => {} });
  try {
    command.parse([...argv], { from: 'user' });
    return true;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return false;
    throw new UsageError('E_OPTION', error.message.replace(/^error: /, ''), {
      hint: `Run \`npm run ${command.name()} -- --help\` for the options and examples.`,
    });
  }
}
