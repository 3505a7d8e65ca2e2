/** The recording on disk: one change per line, so that a file that ends in a crash stays readable. */
import { openSync, closeSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { messageOf, UsageError } from '../../core/errors.ts';
import { makePrivateFolderSync, PRIVATE_FILE } from '../../core/private-files.ts';
import { redactDeep, type Redact } from '../../core/redact.ts';
import type { RecordedChange } from './change.ts';

const changeSchema = z.looseObject({
  seq: z.number(),
  at: z.number(),
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED']),
  object: z.looseObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata: z.looseObject({ name: z.string() }),
  }),
});

export interface RecordingFile {
  append(change: RecordedChange): void;
  close(): void;
}

/**
 * Opens the file of a new recording: creates the directory and overwrites an older file.
 *
 * @param redact applied to every string of a change
 */
export function openRecordingFile(file: string, redact: Redact = (text) => text): RecordingFile {
  makePrivateFolderSync(dirname(file));
  const descriptor = openSync(file, 'w', PRIVATE_FILE);
  let open = true;
  return {
    // Synchronous, like the log: the changes before a crash are the ones that matter.
    append(change) {
      if (open) writeSync(descriptor, `${JSON.stringify(redactDeep(change, redact))}\n`);
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

/**
 * Reads the changes of a file; drops a truncated last line.
 *
 * @throws UsageError `E_RECORDING` when the file cannot be read or is not a recording
 */
export async function readRecordingFile(file: string): Promise<RecordedChange[]> {
  const lines = await readFile(file, 'utf8').then(
    (text) => text.split('\n'),
    (error: unknown) => {
      throw new UsageError('E_RECORDING', `recording ${file} cannot be read: ${messageOf(error)}`, {
        cause: error,
        hint: 'Name a file in the recording/ folder of a run.',
      });
    },
  );
  // What follows the last newline is empty or truncated by a crash.
  lines.pop();
  return lines.map((line, index) => {
    try {
      return changeSchema.parse(JSON.parse(line));
    } catch (error) {
      throw new UsageError('E_RECORDING', `line ${index + 1} of ${file} is not a recorded change`, {
        cause: error,
        hint: 'The file is damaged or was not written by kindproof.',
      });
    }
  });
}
