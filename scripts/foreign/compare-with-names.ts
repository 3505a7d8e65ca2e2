/** Compares the results of a suite on somebody else's chart with the checks that are about names. */
import type { CheckResult } from '../../harness/run/report/model.ts';
import { isNotApplicable } from '../../harness/run/report/status.ts';

/** A chart on which a suite runs, although it is not the reference of the suite. */
export interface Stranger {
  suite: string;
  chart: string;
  /** Under fixtures. */
  path: string;
  /** Under fixtures/values. */
  values?: string;
  set?: readonly string[];
  /** Ids of the checks that are about names: exactly these are red. */
  red: readonly string[];
}

export interface StrangerResult {
  stranger: Stranger;
  checks: readonly CheckResult[];
}

interface Comparison {
  title: string;
  /** One for each check that is not applicable, errored, or not as expected. */
  lines: string[];
  checks: number;
  unfit: number;
  /** Checks that are red and not about names, or the reverse. */
  wrong: number;
  errored: number;
}

export function compareWithNames({ stranger, checks }: StrangerResult): Comparison {
  const { suite, chart, set = [], red } = stranger;
  const errored = checks.filter(({ status }) => status === 'errored');
  const unfit = checks.filter(isNotApplicable);
  const wrong = checks.filter(
    ({ id, status }) => status !== 'errored' && (status === 'failed') !== red.includes(id),
  );
  const lineOf = ({ id, status, reason = '' }: CheckResult): string => `${status}  ${id}  ${reason}`;
  return {
    title: [suite, 'on', chart, ...set].join(' '),
    lines: [
      ...unfit.filter((one) => !wrong.includes(one)).map(lineOf),
      ...errored.map(lineOf),
      ...wrong.map((one) => `${red.includes(one.id) ? 'has to be red' : 'must not be red'}: ${lineOf(one)}`),
    ],
    checks: checks.length,
    unfit: unfit.length,
    wrong: wrong.length,
    errored: errored.length,
  };
}
