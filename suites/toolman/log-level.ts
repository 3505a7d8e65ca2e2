/** How much the server logs. */
import type { Container } from '../../harness/kube/api/types.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import { valueBehind } from '../../harness/run/suite/value-behind.ts';
import { serverIn } from './server.ts';

export const DOCUMENTED_LOG_LEVEL = 'logLevel';

/** The log level that RUST_LOG sets for a container. */
export function logLevelOf({ env = [] }: Container): string | undefined {
  return env.find(({ name }) => name === 'RUST_LOG')?.value;
}

/** The value that sets the level. @throws DoesNotFit when no value does */
export function logLevelValue(lab: Lab): Promise<string> {
  return valueBehind(lab, {
    documented: DOCUMENTED_LOG_LEVEL,
    sets: 'RUST_LOG of the server',
    read: (rendered) => logLevelOf(serverIn(rendered).container),
    other: 'debug',
  });
}
