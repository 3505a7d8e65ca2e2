/** Looks at the machine before a run, and mends what it can: the same code for `e2e` and `doctor`. */
import { InterruptedError, messageOf } from '../../core/errors.ts';
import { throwIfAborted } from '../../core/deadline.ts';
import { checkEngine } from './inspections/engine.ts';
import { checkEnvironment } from './inspections/environment.ts';
import { checkLeftovers } from './inspections/leftovers.ts';
import { checkInotify, checkOpenFiles } from './inspections/limits.ts';
import { checkNode, checkPrograms } from './inspections/programs.ts';
import { checkCpus, checkDisk, checkMemory } from './inspections/resources.ts';
import { checkTools } from './inspections/tools.ts';
import { sentenceOf, type Check, type Finding, type PreflightDeps, type PreflightNeed } from './finding.ts';

export interface PreflightOptions {
  /** Mend what can be mended, instead of only saying how. */
  fix: boolean;
  /** A person is at the terminal: they are asked before the machine outside the project's folder is changed. */
  interactive: boolean;
  need: PreflightNeed;
}

/** In this order, because later ones rely on what earlier ones mend (a disk is that of the engine's root folder). */
const CHECKS: readonly Check[] = [
  checkNode,
  checkPrograms,
  checkEngine,
  checkInotify,
  checkOpenFiles,
  checkCpus,
  checkMemory,
  checkDisk,
  checkTools,
  checkLeftovers,
  checkEnvironment,
];

/**
 * Every finding about this machine, in a fixed order.
 *
 * With `fix`, a problem or warning that can be mended is mended and looked at again: it is then `fixed`, or stays what
 * it was with the reason added to `found`. Never throws because of the machine's state.
 *
 * @throws InterruptedError when the signal aborts
 */
export async function runPreflight(deps: PreflightDeps, options: PreflightOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of CHECKS) {
    throwIfAborted(deps.signal);
    const seen = await check(deps, options.need);
    findings.push(...(options.fix ? await mend(check, seen, deps, options) : seen));
  }
  for (const { id, status, found } of findings) deps.log.info('preflight', { id, status, found });
  return findings;
}

async function mend(
  check: Check,
  before: Finding[],
  deps: PreflightDeps,
  options: PreflightOptions,
): Promise<Finding[]> {
  const outcome = new Map<string, string>();
  for (const finding of before) {
    if (finding.fix === undefined || finding.status === 'ok') continue;
    outcome.set(finding.id, await attempt(finding, deps, options.interactive));
  }
  if (outcome.size === 0) return before;
  const after = await check(deps, options.need);
  return after.map((finding) => {
    const note = outcome.get(finding.id);
    if (note === undefined) return finding;
    if (finding.status === 'ok') return { ...finding, status: 'fixed' };
    return { ...finding, found: note === '' ? finding.found : `${finding.found} (${note})` };
  });
}

/** Runs a fix; the returned text is empty, or says why it did not happen. */
async function attempt(finding: Finding, deps: PreflightDeps, interactive: boolean): Promise<string> {
  if (finding.changes !== undefined) {
    if (interactive) {
      const agreed = await deps.confirm?.(`${sentenceOf(finding)} Mend it? This will ${finding.changes}`);
      if (agreed !== true) return 'not mended: you said no';
    } else {
      deps.onProgress(`${sentenceOf(finding)} Mending: this will ${finding.changes}`);
    }
  }
  try {
    await finding.fix?.();
    return '';
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    deps.log.error('fix failed', { id: finding.id, error: messageOf(error) });
    return `mending it failed: ${messageOf(error)}`;
  }
}
