/** A database session from inside the cluster, like the documents' throw-away pod with psql. */
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { startPythonPod } from '../python-pod.ts';

const NAME = 'throw-away';

/** The URL comes by standard input, because command lines are public. */
const SESSION = `
import asyncio, sys
import asyncpg

async def session(url):
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return await connection.fetchval("select current_database() || ' ' || current_user")
    finally:
        await connection.close()

try:
    print(asyncio.run(session(sys.stdin.readline().strip().replace("+asyncpg", ""))))
except (OSError, asyncpg.PostgresError) as error:
    print(f"{type(error).__name__}: {error}")
`;

/** Opens a session; returns `DATABASE USER`, or why there is none. */
export type DatabaseClient = (url: string) => Promise<string>;

/** Starts the client's pod, which is removed when the check ends. */
export async function startDatabaseClient(release: Release, lab: Lab): Promise<DatabaseClient> {
  const { kube, namespace } = release;
  lab.defer(`delete pod ${NAME}`, () =>
    kube.teardown.delete('Pod', { name: NAME, namespace }, { gracePeriodSeconds: 0 }),
  );
  await startPythonPod(release, namespace, NAME);
  return async (url) => {
    const { stdout, stderr } = await kube.exec({
      namespace,
      pod: NAME,
      container: NAME,
      command: ['python3', '-c', SESSION],
      stdin: `${url}\n`,
      timeoutMs: 60_000,
    });
    return stdout.trim() || stderr.trim();
  };
}
