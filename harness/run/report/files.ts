/** How a reporter writes a file to the run directory. */
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { InfrastructureError } from '../../core/errors.ts';
import { writePrivateFile } from '../../core/private-files.ts';

/**
 * Writes a file completely or not at all: a reader, also one that watches the directory, never sees half a file.
 *
 * @returns the path of the file
 * @throws InfrastructureError `E_REPORT_WRITE`
 */
export async function writeReportFile(directory: string, name: string, content: string): Promise<string> {
  const file = path.join(directory, name);
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    try {
      await writePrivateFile(temporary, content);
      await rename(temporary, file);
    } finally {
      await rm(temporary, { force: true });
    }
  } catch (cause) {
    throw new InfrastructureError('E_REPORT_WRITE', `could not write ${file}`, {
      cause,
      hint: 'Check that the disk has room and that the directory is writable, or choose another with --out.',
    });
  }
  return file;
}
