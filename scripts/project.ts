/** Folders that several commands use. */
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

export const projectRoot = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
/** What scripts/run.mjs has compiled. */
const code = process.env['KINDPROOF_CODE'];
/** A file of `suites` that a worker loads. */
const workerFile = (name: string): string =>
  code === undefined ? join(projectRoot, 'suites', `${name}.ts`) : join(code, 'suites', `${name}.mjs`);
/** Declares the checks of the suite that a worker is configured with. */
export const checksFile = workerFile('checks.e2e');
/** Declares its proofs. */
export const proofsFile = workerFile('prove.e2e');
export const cacheDirectory = join(projectRoot, '.cache');
export const runsDirectory = join(projectRoot, 'runs');
