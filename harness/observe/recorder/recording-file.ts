/** The recording on disk: one change a line, so that what was written before a crash can be read. */
import { mkdirSync, openSync, closeSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { messageOf, UsageError } from '../../core/errors.ts';
import { createRedactor, redactDeep } from '../../core/redact.ts';
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
 * Opens a file for a new recording, replacing an older one; its directory is created.
 *
 * @param redact texts that must not be written, in any form (see createRedactor)
 */
export function openRecordingFile(file: string, redact: readonly string[]): RecordingFile {
  mkdirSync(dirname(file), { recursive: true });
  const redactor = createRedactor(redact);
  const descriptor = openSync(file, 'w', 0o600);
  let open = true;
  return {
    // Synchronous, as in the log: the changes before a crash are the ones that matter.
    append(change) {
      if (open) writeSync(descriptor, `${JSON.stringify(redactDeep(change, redactor))}\n`);
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

/**
 * The changes of a file. A last line that was cut off is left out.
 *
 * @throws UsageError `E_RECORDING` when the file cannot be read or is no recording
 */
export async function readRecordingFile(file: string): Promise<RecordedChange[]> {
  const lines = await readFile(file, 'utf8').then(
    (text) => text.split('\n'),
    (error: unknown) => {
      throw new UsageError('E_RECORDING', `recording ${file} cannot be read: ${messageOf(error)}`, {
        cause: error,
        hint: 'name a file of the recording/ folder of a run',
      });
    },
  );
  // After the newline of the last complete line there is nothing, or what the crash left.
  lines.pop();
  return lines.map((line, index) => {
    try {
      return changeSchema.parse(JSON.parse(line));
    } catch (error) {
      throw new UsageError('E_RECORDING', `line ${index + 1} of ${file} is not a recorded change`, {
        cause: error,
        hint: 'the file is damaged or was not written by kindproof; record anew',
      });
    }
  });
}
