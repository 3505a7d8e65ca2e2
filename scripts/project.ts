/** Folders that several commands use. */
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

export const projectRoot = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
/** Declares the checks of the suite that a worker is configured with. */
export const checksFile = join(projectRoot, 'suites', 'checks.e2e.ts');
export const cacheDirectory = join(projectRoot, '.cache');
export const runsDirectory = join(projectRoot, 'runs');
