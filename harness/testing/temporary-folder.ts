import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** An empty folder that is removed when the current test ends. */
export async function temporaryFolder(): Promise<string> {
  // Without the prefix kindproof-, so that a sweep does not remove it.
  const folder = await mkdtemp(join(tmpdir(), 'kp-unit-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
