/** Which kindproof makes the decision. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { CommandRunner } from '../../harness/core/command.ts';

export interface OwnVersion {
  version: string;
  /** Absent outside a git checkout: there, only the version identifies kindproof. */
  commit?: string;
  /** Code differs from the commit, so nobody else can repeat the decision. */
  dirty: boolean;
}

/** Whatever can change a verdict. Run directories may be in the project, too, and do not matter. */
const CODE = ['harness', 'clusters', 'fixtures', 'suites', 'scripts', 'package.json', 'package-lock.json'];

/** Version and commit of the checkout in a folder. */
export async function ownVersion(run: CommandRunner, folder: string): Promise<OwnVersion> {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
  const git = async (...args: string[]): Promise<string | undefined> => {
    const result = await run.run('git', args, { cwd: folder, reject: false }).catch(() => undefined);
    return result?.exitCode === 0 ? result.stdout.trim() : undefined;
  };
  const commit = await git('rev-parse', 'HEAD');
  if (commit === undefined) return { version, dirty: false };
  // Files that are not committed count as changes; ignored ones do not. A status that cannot be read is no proof of a clean checkout.
  const changes = await git('status', '--porcelain', '--', ...CODE);
  return { version, commit, dirty: changes !== '' };
}
