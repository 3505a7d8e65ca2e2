/** `npm run gate`: runs a suite strictly, decides whether to release, and writes evidence.json. */
import { rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createCommandRunner } from '../harness/core/command.ts';
import { maskArguments, maskSet } from '../harness/core/credentials.ts';
import { EXIT, InfrastructureError, messageOf } from '../harness/core/errors.ts';
import { count, firstLine } from '../harness/core/wording.ts';
import { fileDigest, isStill } from '../harness/kube/helm/subject-digest.ts';
import { writeReportFile } from '../harness/run/report/files.ts';
import { inert } from '../harness/run/report/github/inert.ts';
import { plain } from '../harness/run/report/text.ts';
import { isNotApplicable, isWarning } from '../harness/run/report/status.ts';
import { countsLine, countsOf, isProvable } from '../harness/run/report/verdict.ts';
import type { Report } from '../harness/run/report/model.ts';
import type { SuitePlan } from '../harness/run/plan/plan.ts';
import { run } from './e2e.ts';
import { decide, decisionLine, exitCodeOfDecision, type Decision } from './gate/decide.ts';
import { buildEvidence, digestRunFiles, type Evidence } from './gate/evidence.ts';
import { e2eArguments, parseGateOptions, provesFaults } from './gate/gate-options.ts';
import { containersThatRan, imageEvidence, type ImageEvidence } from './gate/images-that-ran.ts';
import { ownVersion } from './gate/own-version.ts';
import { readRunReport } from './gate/run-report.ts';
import { planFromArguments } from './plan-from-arguments.ts';
import { projectRoot, runsDirectory } from './project.ts';
import { reportFailure } from './report-failure.ts';

const EVIDENCE_FILE = 'evidence.json';

/** Returns the exit code. The output ends with the coverage, the decision, and the counts, which are the last line of every run. */
export async function main(argv: readonly string[]): Promise<number> {
  const print = (text: string): void => {
    process.stdout.write(text);
  };
  /** The reasons quote the subject. */
  const printDecision = (decision: Decision): void =>
    print(inert(`${plain(decisionLine(decision))}\n`, process.env));
  try {
    const gate = parseGateOptions(argv, print);
    if (!gate) return EXIT.passed;
    const { options, plan } = await planFromArguments(e2eArguments(gate));
    const [suite] = plan.suites;
    if (!suite) throw new InfrastructureError('E_PLAN', `the plan has no suite ${gate.suite}`);
    const kindproof = await ownVersion(createCommandRunner(), projectRoot);
    const dirty = kindproof.dirty && !gate.allowDirty;
    if (dirty) print('kindproof has uncommitted changes: the decision cannot be "release" (--allow-dirty)\n');

    const runDirectory = resolve(options.out ?? join(runsDirectory, plan.runId));
    // With --out, the folder may contain the evidence of an earlier decision, which must not be taken for that of this one.
    await rm(join(runDirectory, EVIDENCE_FILE), { force: true });
    const notBefore = Date.now();
    const exitCode = await run(options, plan, ['npm run gate --', ...maskArguments(argv)].join(' '));
    const report = await readRunReport(runDirectory, { id: plan.runId, notBefore, exitCode }).catch(
      (error: unknown) => {
        if (error instanceof InfrastructureError) return error;
        throw error;
      },
    );
    if (report instanceof InfrastructureError) {
      printDecision({ decision: 'no verdict', reasons: [report.message] });
      const own: readonly number[] = [EXIT.usage, EXIT.interrupted];
      return own.includes(exitCode) ? exitCode : report.exitCode;
    }
    const images = await imagesOf(runDirectory, report);
    const decision = decide(report, {
      proofs: provesFaults(gate),
      chartUnchanged: await isUnchanged(suite, report),
      imageProblems: images.problems,
      dirty,
    });
    const evidence = buildEvidence({
      decision,
      report,
      suite: gate.suite,
      set: suite.subject.set.map(maskSet),
      images,
      kindproof,
      files: await digestRunFiles(runDirectory, ['report.json', 'report.html', 'junit.xml']),
      writtenAt: new Date().toISOString(),
    });
    const file = await writeReportFile(runDirectory, EVIDENCE_FILE, `${JSON.stringify(evidence, null, 2)}\n`);
    print(`\nevidence  ${relative(process.cwd(), file)}\n`);
    for (const line of coverageLines(evidence)) print(`          ${line}\n`);
    print('\n');
    printDecision(decision);
    print(`${countsLine(countsOf(report))}\n`);
    return exitCodeOfDecision(decision, report);
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  }
}

/** A run that ended early has not started a pod; its error is the reason for the decision. */
async function imagesOf(runDirectory: string, report: Report): Promise<ImageEvidence> {
  try {
    return imageEvidence(await containersThatRan(runDirectory, report), report.images ?? []);
  } catch (error) {
    return { images: [], notRun: [], problems: [messageOf(error)] };
  }
}

/** The files that the user named still are what was copied and tested. */
async function isUnchanged({ definition, subject }: SuitePlan, report: Report): Promise<boolean> {
  const { digest: tested, platform } = report.subjects.find(({ suite }) => suite === definition.name) ?? {};
  if (tested === undefined || !(await isStill(tested, subject).catch(() => false))) return false;
  if (subject.platform === undefined) return true;
  const now = await definition.platform?.validate(subject.platform).then(
    ({ files }) => Promise.all(files.map(fileDigest)),
    () => undefined,
  );
  return isDeepStrictEqual(
    now,
    platform?.files.map(({ sha256 }) => sha256),
  );
}

/** How much of the catalogue and of the faults the decision covers. */
function coverageLines({ requirements: { covered, uncovered }, proofs, checks }: Evidence): string[] {
  const all = covered.length + uncovered.length;
  const left = proofs.filter((proof) => !isProvable(proof)).length;
  const warnings = checks.filter(isWarning);
  const unfit = checks.filter(isNotApplicable);
  return [
    `covers ${covered.length} of ${all} requirements; the others have no check or no fault yet`,
    ...(left > 0
      ? [`${count(left, 'fault')} not provable with this subject; the evidence has the reasons`]
      : []),
    ...listed(count(warnings.length, 'warning'), warnings),
    ...listed(`${count(unfit.length, 'check')} not applicable to this subject`, unfit),
  ];
}

/** A line with the title, and one for each check; nothing without checks. The reasons quote the subject. */
function listed(title: string, checks: Evidence['checks']): string[] {
  if (checks.length === 0) return [];
  const lines = checks.map(({ id, reason = '' }) => `  ${id}  ${plain(firstLine(reason))}`);
  return [`${title}:`, ...lines.map((line) => inert(line, process.env))];
}
