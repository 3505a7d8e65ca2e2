/** Inspects the machine before a run and fixes what it can; `e2e` and `doctor` share it. */
import { setMaxListeners } from 'node:events';
import { throwIfAborted } from '../../core/deadline.ts';
import { InterruptedError, messageOf } from '../../core/errors.ts';
import {
  sentenceOf,
  type Finding,
  type Inspection,
  type PreflightDeps,
  type PreflightNeed,
} from './finding.ts';
import { inspectEngine } from './inspections/engine.ts';
import { inspectEnvironment } from './inspections/environment.ts';
import { inspectLeftovers } from './inspections/leftovers.ts';
import { inspectInotify, inspectOpenFiles } from './inspections/limits.ts';
import { inspectNode, inspectPrograms } from './inspections/programs.ts';
import { inspectCpus, inspectDisk, inspectMemory } from './inspections/resources.ts';
import { inspectTools } from './inspections/tools.ts';

export interface PreflightOptions {
  /** Fix what can be fixed, instead of only reporting it. */
  fix: boolean;
  /** A user is at the terminal and is asked before anything outside the project's folder changes. */
  interactive: boolean;
  need: PreflightNeed;
}

/** In the order of the report and of fixes: some depend on fixes before them (the inspected disk is that of the engine's root folder). */
const INSPECTIONS: readonly Inspection[] = [
  inspectNode,
  inspectPrograms,
  inspectEngine,
  inspectInotify,
  inspectOpenFiles,
  inspectCpus,
  inspectMemory,
  inspectDisk,
  inspectTools,
  inspectLeftovers,
  inspectEnvironment,
];

/**
 * Every finding about this machine, in a fixed order.
 *
 * With `fix`, fixable problems and warnings are fixed and inspected again. The finding then has the status `fixed`, or keeps its status
 * and `found` says why the fix failed. Never throws because of the machine's state.
 *
 * @throws InterruptedError when the signal aborts
 */
export async function runPreflight(deps: PreflightDeps, options: PreflightOptions): Promise<Finding[]> {
  throwIfAborted(deps.signal);
  // The commands of all inspections listen to it at the same time.
  if (deps.signal) setMaxListeners(0, deps.signal);
  // At once: on a machine that is ready, nothing has to be fixed, and no inspection depends on another.
  const first = await Promise.all(INSPECTIONS.map(async (inspect) => inspect(deps, options.need)));
  const from = options.fix ? first.findIndex((found) => found.some(isFixable)) : -1;
  const findings =
    from < 0
      ? first.flat()
      : [...first.slice(0, from).flat(), ...(await fixInOrder(INSPECTIONS.slice(from), deps, options))];
  for (const { id, status, found } of findings) deps.log.info('preflight', { id, status, found });
  return findings;
}

function isFixable({ status, fix }: Finding): boolean {
  return status !== 'ok' && fix !== undefined;
}

/** Inspects again, because each inspection may depend on the fixes of those before it. */
async function fixInOrder(
  inspections: readonly Inspection[],
  deps: PreflightDeps,
  options: PreflightOptions,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const inspect of inspections) {
    throwIfAborted(deps.signal);
    findings.push(...(await fixAll(inspect, await inspect(deps, options.need), deps, options)));
  }
  return findings;
}

async function fixAll(
  inspect: Inspection,
  before: Finding[],
  deps: PreflightDeps,
  options: PreflightOptions,
): Promise<Finding[]> {
  const notes = new Map<string, string>();
  for (const finding of before) {
    if (!isFixable(finding)) continue;
    notes.set(finding.id, await attempt(finding, deps, options.interactive));
  }
  if (notes.size === 0) return before;
  const after = await inspect(deps, options.need);
  return after.map((finding) => {
    const note = notes.get(finding.id);
    if (note === undefined) return finding;
    if (finding.status === 'ok') return { ...finding, status: 'fixed' };
    return { ...finding, found: note === '' ? finding.found : `${finding.found} (${note})` };
  });
}

/** Runs a fix; returns why it did not succeed, or an empty string. */
async function attempt(finding: Finding, deps: PreflightDeps, interactive: boolean): Promise<string> {
  if (finding.changes !== undefined) {
    if (interactive) {
      const agreed = await deps.confirm?.(`${sentenceOf(finding)} Fix it? This will ${finding.changes}`);
      if (agreed !== true) return 'not fixed: you declined';
    } else {
      deps.onProgress(`${sentenceOf(finding)} Fixing: this will ${finding.changes}`);
    }
  }
  try {
    await finding.fix?.();
    return '';
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    deps.log.error('fix failed', { id: finding.id, error: messageOf(error) });
    return `the fix failed: ${messageOf(error)}`;
  }
}
