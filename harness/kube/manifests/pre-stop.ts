/** What a preStop hook says about its own duration. */
import type { Container } from '../api/types.ts';
import { field } from './objects.ts';

/**
 * The seconds that a preStop hook waits: those of `sleep`, or of the program `sleep` in its command. `undefined` without a hook, or when
 * its form does not say.
 */
export function preStopSeconds({ lifecycle }: Pick<Container, 'lifecycle'>): number | undefined {
  const hook = field(lifecycle, 'preStop');
  const seconds = field(field(hook, 'sleep'), 'seconds');
  if (typeof seconds === 'number') return seconds;
  const command = field(field(hook, 'exec'), 'command');
  if (!Array.isArray(command)) return undefined;
  const [, slept] = /(?:^|[\s/;&])sleep\s+(\d+)(?=$|[\s;&])/.exec(command.join(' ')) ?? [];
  return slept === undefined ? undefined : Number(slept);
}
