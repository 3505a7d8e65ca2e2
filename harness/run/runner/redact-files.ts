/** Redacts files that were written before a secret was known. */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { redactDeep, type Redact } from '../../core/redact.ts';

/** Written by the run or by a check; not the kubeconfig and `options.json`, which hold secrets because they are used again. */
const EXTENSIONS = new Set(['.jsonl', '.log', '.txt', '.yaml']);
/** Longer files are not read into memory. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * Redacts the log, the recordings and the evidence in a run directory once more. A file that contains nothing new is not touched.
 *
 * @returns files that were too large or could not be written, relative to the directory
 */
export async function redactFiles(directory: string, redact: Redact): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const skipped: string[] = [];
  for (const entry of entries) {
    if (!entry.isFile() || !EXTENSIONS.has(extname(entry.name))) continue;
    const file = join(entry.parentPath, entry.name);
    const done = await redactFile(file, redact).catch(() => false);
    if (!done) skipped.push(relative(directory, file));
  }
  return skipped;
}

async function redactFile(file: string, redact: Redact): Promise<boolean> {
  if ((await stat(file)).size > MOST_BYTES) return false;
  const text = await readFile(file, 'utf8');
  const shown = extname(file) === '.jsonl' ? redactLines(text, redact) : redact(text);
  if (shown !== text) await overwrite(file, shown);
  return true;
}

/** A line stays valid JSON: a secret that is a JSON document itself may be part of the line's own syntax. */
function redactLines(text: string, redact: Redact): string {
  return text
    .split('\n')
    .map((line) => (redact(line) === line ? line : redactJson(line, redact)))
    .join('\n');
}

function redactJson(line: string, redact: Redact): string {
  try {
    return JSON.stringify(redactDeep(JSON.parse(line), redact));
  } catch {
    // The end of a file that was cut off.
    return redact(line);
  }
}

/** In place: run.jsonl is still open for writing, and a full disk has no room for a second file. */
async function overwrite(file: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  const handle = await open(file, 'r+');
  try {
    await handle.write(bytes, 0, bytes.length, 0);
    await handle.truncate(bytes.length);
  } finally {
    await handle.close();
  }
}
