/** junit.xml for GitLab, Jenkins and the GitHub actions that read it. */
import { writeReportFile } from '../files.ts';
import type { CheckResult, Proof, Report } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { isWarning } from '../status.ts';
import { countsOf, isCaught, isProvable, isRed, isUncaught, verdictOf } from '../verdict.ts';
import { bySuite, failureBody, outcomeOf, remarkOf, shortId, summaryOfCheck } from '../wording.ts';
import { element, textElement } from './xml.ts';

export const junitReporter: Reporter = {
  name: 'junit',
  write: async (report, directory) => [await writeReportFile(directory, 'junit.xml', toJunit(report))],
};

/**
 * The report as JUnit XML: a testsuite for each suite and one for its proofs. When the run has no verdict, or left something behind, a
 * testsuite `kindproof` has an `<error>`, so that it never reads as zero failures.
 */
export function toJunit(report: Report): string {
  const suites = [
    ...errorSuite(report),
    ...bySuite(report.checks).map(([suite, checks]) => checkSuite(suite, checks, report)),
    ...bySuite(report.proofs ?? []).map(([suite, proofs]) => proofSuite(suite, proofs, report)),
  ];
  const total = (count: (suite: Suite) => number) => suites.reduce((sum, suite) => sum + count(suite), 0);
  const root = element(
    'testsuites',
    {
      name: 'kindproof',
      tests: total((suite) => suite.tests),
      failures: total((suite) => suite.failures),
      errors: total((suite) => suite.errors),
      skipped: total((suite) => suite.skipped),
      time: time(report.run.durationMs),
      timestamp: report.run.startedAt,
    },
    suites.map((suite) => suite.xml),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`;
}

interface Suite {
  tests: number;
  failures: number;
  errors: number;
  skipped: number;
  xml: string;
}

function testsuite(
  name: string,
  cases: readonly string[],
  counts: Omit<Suite, 'xml' | 'tests'>,
  more: { durationMs: number; timestamp: string; properties: [string, string][] },
): Suite {
  const xml = element(
    'testsuite',
    { name, tests: cases.length, ...counts, time: time(more.durationMs), timestamp: more.timestamp },
    [...properties(more.properties), ...cases],
  );
  return { tests: cases.length, ...counts, xml };
}

function checkSuite(suite: string, checks: readonly CheckResult[], report: Report): Suite {
  const count = (status: CheckResult['status']) => checks.filter((check) => check.status === status).length;
  const errors = count('errored');
  const subject = report.subjects.find((candidate) => candidate.suite === suite);
  return testsuite(
    suite,
    checks.map(checkCase),
    { failures: count('failed'), errors, skipped: countsOf({ checks: [...checks] }).skipped },
    {
      durationMs: checks.reduce((sum, check) => sum + check.durationMs, 0),
      timestamp: checks[0]?.startedAt ?? report.run.startedAt,
      properties: [
        ['run', report.run.id],
        ...(report.cluster ? [['kubernetes', report.cluster.kubernetes] satisfies [string, string]] : []),
        ...(subject ? [['chart', subject.chart] satisfies [string, string]] : []),
        ...(subject?.images ?? []).map((image): [string, string] => [
          `image ${image.name}`,
          image.digest === undefined ? image.ref : `${image.ref} ${image.digest}`,
        ]),
      ],
    },
  );
}

function checkCase(check: CheckResult): string {
  const children = properties([
    ...check.requirements.map((id): [string, string] => ['requirement', id]),
    ['assertions', String(check.assertions)],
  ]);
  if (isRed(check)) {
    const [element, type] =
      check.status === 'errored' ? ['error', 'InfrastructureError'] : ['failure', 'CheckFailure'];
    children.push(textElement(element, { message: summaryOfCheck(check), type }, failureBody(check)));
  }
  const remark = remarkOf(check);
  if (remark !== undefined && !isWarning(check)) {
    children.push(element('skipped', { message: remark.replace(/^skipped: /, '') }));
  }
  const output = [
    // JUnit has no element for a warning.
    ...(isWarning(check) ? [remark ?? '', failureBody(check)] : []),
    ...check.observed,
    // GitLab shows a path in this form as an attachment of the test.
    ...(check.artifacts ?? []).map((artifact) => `[[ATTACHMENT|${artifact}]]`),
  ];
  if (output.length > 0) children.push(textElement('system-out', {}, output.join('\n')));
  return element(
    'testcase',
    {
      name: `${shortId(check)} ${check.title}`,
      classname: check.suite,
      file: check.file,
      assertions: check.assertions,
      time: time(check.durationMs),
    },
    children,
  );
}

function proofOutcome(proof: Proof): string {
  const message = `${outcomeOf(proof)}: ${proof.reason}`;
  if (isCaught(proof)) return textElement('system-out', {}, message);
  if (!isProvable(proof)) return element('skipped', { message });
  const name = proof.outcome === 'errored' ? 'error' : 'failure';
  return textElement(name, { message, type: proof.outcome }, proof.reason);
}

function proofSuite(suite: string, proofs: readonly Proof[], report: Report): Suite {
  const cases = proofs.map((proof) =>
    element('testcase', { name: proof.fault, classname: `${suite}.faults`, time: time(proof.durationMs) }, [
      ...properties(proof.requirements.map((id): [string, string] => ['requirement', id])),
      proofOutcome(proof),
    ]),
  );
  const errors = proofs.filter(({ outcome }) => outcome === 'errored').length;
  const failures = proofs.filter(isUncaught).length - errors;
  return testsuite(
    `${suite} proofs`,
    cases,
    { failures, errors, skipped: proofs.filter((proof) => !isProvable(proof)).length },
    {
      durationMs: proofs.reduce((sum, proof) => sum + proof.durationMs, 0),
      timestamp: report.run.startedAt,
      properties: [['run', report.run.id]],
    },
  );
}

function errorSuite(report: Report): Suite[] {
  const { problem } = verdictOf(report);
  if (!problem) return [];
  const { code, message, hint } = problem;
  const body = hint === undefined ? message : `${message}\n${hint}`;
  const failed = element(
    'testcase',
    { name: 'the run itself', classname: 'kindproof', time: time(report.run.durationMs) },
    [textElement('error', { message, type: code }, body)],
  );
  return [
    testsuite(
      'kindproof',
      [failed],
      { failures: 0, errors: 1, skipped: 0 },
      {
        durationMs: report.run.durationMs,
        timestamp: report.run.startedAt,
        properties: [['run', report.run.id]],
      },
    ),
  ];
}

function properties(entries: readonly [string, string][]): string[] {
  if (entries.length === 0) return [];
  return [
    element(
      'properties',
      {},
      entries.map(([name, value]) => element('property', { name, value })),
    ),
  ];
}

/** JUnit's unit is the second. */
function time(ms: number): string {
  return (ms / 1000).toFixed(3);
}
