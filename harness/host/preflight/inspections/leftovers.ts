/** What earlier runs left behind. */
import { InterruptedError, messageOf } from '../../../core/errors.ts';
import type { Check } from '../finding.ts';
import { fine } from '../finding.ts';

const ID = 'leftovers';
const TITLE = 'Leftovers of earlier runs';

export const checkLeftovers: Check = async (deps) => {
  if (deps.leftovers === undefined) return [];
  let all;
  try {
    all = await deps.leftovers();
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    return [fine(ID, TITLE, `unknown: ${messageOf(error).split('\n')[0]}`)];
  }
  const stale = all.filter(({ state }) => state === 'stale');
  const others = all.length - stale.length;
  const note = others === 0 ? '' : `; ${others} of runs that go on or were kept`;
  if (stale.length === 0) return [fine(ID, TITLE, `none${note}`)];
  const names = stale.slice(0, 5).map(({ kind, name }) => `${kind} ${name}`);
  const more = stale.length > 5 ? ` and ${stale.length - 5} more` : '';
  return [
    {
      id: ID,
      title: TITLE,
      status: 'warning',
      found: `${stale.length}: ${names.join(', ')}${more}${note}`,
      why: 'They take memory, disk and inotify instances from the next run, and half-alive nodes keep restarting.',
      remedy: 'npm run sweep   (add -- --dry-run to see what it would remove)',
    },
  ];
};
