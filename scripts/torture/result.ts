/** Judges how a disturbed run ended, and shows all of them in a table. */
import type { Scenario } from './scenario.ts';
import type { Outcome } from './trial.ts';

export interface Result {
  scenario: Pick<Scenario, 'title' | 'exitCodes' | 'needsSweep'>;
  outcome: Outcome;
}

/** What is wrong with the end of a run; undefined when it ended as it must. */
export function faultOf({ scenario, outcome }: Result): string | undefined {
  const { exitCode, verdict, left, leftAfterSweep, problem } = outcome;
  if (problem !== undefined) return problem;
  if (!scenario.exitCodes.includes(exitCode)) {
    return `exit code ${exitCode}, not ${scenario.exitCodes.join(' or ')}`;
  }
  if (exitCode !== 0 && verdict === 'passed') return `exit code ${exitCode}, but the report says passed`;
  if (scenario.needsSweep !== true && left.length > 0) return `left behind: ${left.join(', ')}`;
  if (leftAfterSweep.length > 0) return `left after the sweep: ${leftAfterSweep.join(', ')}`;
  return undefined;
}

/** A Markdown table: scenario, exit code, verdict, leftovers, and whether that is right. */
export function resultTable(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const { exitCode, verdict, left, leftAfterSweep } = result.outcome;
    const { needsSweep } = result.scenario;
    const leftovers =
      needsSweep === true ? `${left.length}, ${leftAfterSweep.length} after` : `${left.length}`;
    return [result.scenario.title, `${exitCode}`, verdict, leftovers, faultOf(result) ?? '✓'];
  });
  const lines = [
    ['disturbance', 'exit', 'verdict', 'leftovers', ''],
    ['---', '---:', '---', '---:', '---'],
    ...rows,
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
