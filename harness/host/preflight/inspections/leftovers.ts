/** What earlier runs left behind. The container engine restarts the nodes of a killed run together with itself. */
import { InterruptedError, messageOf } from '../../../core/errors.ts';
import { fine, type Inspection, type LeftoverFact } from '../finding.ts';

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
  const unowned = all.filter(({ state }) => state === 'unowned');
  const others = all.length - stale.length - unowned.length;
  const note = others === 0 ? '' : `; ${others} in use or kept`;
  const { removeLeftovers } = deps;
  if (stale.length > 0) {
    return [
      {
        id: ID,
        title: TITLE,
        status: 'warning',
        found: `${listOf(stale)}${note}`,
        why: harmOf(new Set(stale.map(({ kind }) => kind))),
        remedy: 'npm run sweep   (add -- --dry-run to list what it would remove)',
        ...(removeLeftovers === undefined ? {} : { fix: removeLeftovers, changes: 'remove them.' }),
      },
    ];
  }
  if (unowned.length === 0) return [fine(ID, TITLE, `none${note}`)];
  return [
    {
      id: ID,
      title: TITLE,
      status: 'warning',
      found: `${listOf(unowned)}, without a record of the run${note}`,
      why: `${harmOf(new Set(unowned.map(({ kind }) => kind)))} Another user's run may be using them.`,
      remedy: 'If nobody uses them: npm run sweep -- --all   (add --dry-run to list what it would remove)',
    },
  ];
};

function listOf(leftovers: readonly LeftoverFact[]): string {
  const names = leftovers.slice(0, 5).map(({ kind, name }) => `${kind} ${name}`);
  const more = leftovers.length > 5 ? ` and ${leftovers.length - 5} more` : '';
  return `${leftovers.length}: ${names.join(', ')}${more}`;
}

/** Why leftovers of these kinds matter. */
function harmOf(kinds: ReadonlySet<string>): string {
  if (kinds.has('cluster') || kinds.has('container')) {
    return 'They use CPU, memory, disk and inotify instances that the run needs.';
  }
  if (kinds.size === 1 && kinds.has('file')) {
    return 'They contain credentials of clusters that no longer exist.';
  }
  return 'They use disk space and networks of the engine.';
}
