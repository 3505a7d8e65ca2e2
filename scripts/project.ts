/** Folders that several commands use. */
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

export const projectRoot = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
export const cacheDirectory = join(projectRoot, '.cache');
export const runsDirectory = join(projectRoot, 'runs');
