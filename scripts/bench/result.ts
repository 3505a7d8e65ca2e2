/** Turns the reports of the measured runs into rows of figures. Pure. */
import type { Report } from '../../harness/run/report/model.ts';
import { imposedMs } from './imposed.ts';
import { summarise, type Summary } from './statistics.ts';

/** What one round measured. */
export interface Round {
  /** A whole run on a new cluster. */
  fresh: Report;
  /** A whole run on the kept cluster. */
  reuse: Report;
  /** Creation of a cluster of five nodes, while nothing else runs. */
  fiveNodesMs: number;
}

export interface Row extends Summary {
  name: string;
  unit: 'ms' | 'ratio';
  samples: number[];
}

/** The rows of the table. Ratios are computed within a round, so that slow periods of the machine cancel out. */
export function benchRows(rounds: readonly Round[]): Row[] {
  const nodes = rounds[0]?.fresh.cluster?.nodes.length ?? 0;
  const imposed = ({ reuse }: Round): number => imposedMs(reuse.timelines ?? []);
  return [
    row(`cluster, ${nodes} nodes`, 'ms', rounds, ({ fresh }) => phaseMs(fresh, 'cluster')),
    row('cluster, 5 nodes', 'ms', rounds, ({ fiveNodesMs }) => fiveNodesMs),
    row('load images', 'ms', rounds, ({ fresh }) => phaseMs(fresh, 'load images')),
    row('suite, fresh cluster', 'ms', rounds, ({ fresh }) => fresh.run.durationMs),
    row('suite, --reuse', 'ms', rounds, ({ reuse }) => reuse.run.durationMs),
    row('checks, --reuse', 'ms', rounds, ({ reuse }) => phaseMs(reuse, 'checks')),
    row("Kubernetes' part of it", 'ms', rounds, imposed),
    row("suite, --reuse : Kubernetes' part", 'ratio', rounds, (r) =>
      ratio(r.reuse.run.durationMs, imposed(r)),
    ),
    row("checks : Kubernetes' part", 'ratio', rounds, (r) => ratio(phaseMs(r.reuse, 'checks'), imposed(r))),
    row('load images : cluster', 'ratio', rounds, ({ fresh }) =>
      ratio(phaseMs(fresh, 'load images'), phaseMs(fresh, 'cluster')),
    ),
    row('fresh cluster : --reuse', 'ratio', rounds, ({ fresh, reuse }) =>
      ratio(fresh.run.durationMs, reuse.run.durationMs),
    ),
  ].filter((r) => r !== undefined);
}

/** Duration of a phase; `undefined` when the run did not reach it. */
export function phaseMs(report: Report, name: string): number | undefined {
  return report.phases.find((phase) => phase.name === name)?.durationMs;
}

export function ratio(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined || whole === 0 ? undefined : part / whole;
}

/** `undefined` when no round has measured it. */
export function row<R>(
  name: string,
  unit: Row['unit'],
  rounds: readonly R[],
  measure: (round: R) => number | undefined,
): Row | undefined {
  const samples = rounds.map(measure).filter((value) => value !== undefined);
  const summary = summarise(samples);
  return summary && { name, unit, ...summary, samples };
}
