/** Processes of a run under torture, found in /proc. */
import { readdir, readFile } from 'node:fs/promises';

/** Ids of the living processes of a group; needs /proc. */
export async function pidsOf(group: number): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // After the program's name in parentheses: state, parent, group.
    const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state !== 'Z' && Number(pgrp) === group) found.push(Number(name));
  }
  return found;
}
