/** What earlier runs left behind. */
import { InterruptedError, messageOf } from '../../../core/errors.ts';
import { fine, type Inspection } from '../finding.ts';

const ID = 'leftovers';
const TITLE = 'Leftovers of earlier runs';

export const inspectLeftovers: Inspection = async (deps) => {
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
  const note = others === 0 ? '' : `; ${others} in use or kept`;
  if (stale.length === 0) return [fine(ID, TITLE, `none${note}`)];
  const names = stale.slice(0, 5).map(({ kind, name }) => `${kind} ${name}`);
  const more = stale.length > 5 ? ` and ${stale.length - 5} more` : '';
  return [
    {
      id: ID,
      title: TITLE,
      status: 'warning',
      found: `${stale.length}: ${names.join(', ')}${more}${note}`,
      why: harmOf(new Set(stale.map(({ kind }) => kind))),
      remedy: 'npm run sweep   (add -- --dry-run to list what it would remove)',
    },
  ];
};

/** Why leftovers of these kinds matter. */
function harmOf(kinds: ReadonlySet<string>): string {
  if (kinds.has('cluster') || kinds.has('container')) {
    return 'They use memory, disk and inotify instances that the next run needs.';
  }
  if (kinds.size === 1 && kinds.has('file')) {
    return 'They contain credentials of clusters that no longer exist.';
  }
  return 'They use disk space and networks of the engine.';
}
