import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** For unit tests: an empty folder that goes when the test ends; to be made inside of a test. */
export async function temporaryFolder(): Promise<string> {
  // Not called kindproof-…: a sweep must not take it.
  const folder = await mkdtemp(join(tmpdir(), 'kp-unit-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
