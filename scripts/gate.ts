/** `npm run gate`: the release manager's command. Runs a suite strictly, decides, and leaves evidence.json. */
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { createCommandRunner } from '../harness/core/command.ts';
import { EXIT, InfrastructureError } from '../harness/core/errors.ts';
import { report as reportSchema, type Report } from '../harness/run/report/model.ts';
import { countsLine, countsOf } from '../harness/run/report/verdict.ts';
import { run } from './e2e.ts';
import { decide, decisionLine, exitCodeOfDecision } from './gate/decide.ts';
import { buildEvidence, digestRunFiles, digestSubject, sameSubject, type Evidence } from './gate/evidence.ts';
import { e2eArguments, parseGateOptions } from './gate/gate-options.ts';
import { planFromArguments } from './plan-from-arguments.ts';
import { projectRoot, runsDirectory } from './project.ts';
import { reportFailure } from './report-failure.ts';

const EVIDENCE_FILE = 'evidence.json';

/** The command; the exit code is that of the process. The last line counts what passed, as every run's does. */
export async function main(argv: readonly string[]): Promise<number> {
  const print = (text: string): void => {
    process.stdout.write(text);
  };
  try {
    const gate = parseGateOptions(argv, print);
    if (!gate) return EXIT.passed;
    const { options, plan } = await planFromArguments(e2eArguments(gate));
    const suite = plan.suites[0];
    if (!suite) throw new InfrastructureError('E_PLAN', `the plan has no suite ${gate.suite}`);
    const { chart, values } = suite.subject;

    const before = await digestSubject(chart, values);
    await run(options, plan, ['npm run gate --', ...argv].join(' '));
    const runDirectory = resolve(options.out ?? join(runsDirectory, plan.runId));
    const report = await readReport(runDirectory, plan.runId);
    const after = await digestSubject(chart, values).catch(() => undefined);

    const decision = decide(report, {
      proofs: gate.proveSample > 0,
      chartUnchanged: after !== undefined && sameSubject(before, after),
    });
    const evidence = buildEvidence({
      decision,
      report,
      suite: gate.suite,
      subject: before,
      set: suite.subject.set,
      kindproof: await ownVersion(),
      files: await digestRunFiles(runDirectory, ['report.json', 'report.html', 'junit.xml']),
      writtenAt: new Date().toISOString(),
    });
    const file = join(runDirectory, EVIDENCE_FILE);
    await writeFile(file, `${JSON.stringify(evidence, null, 2)}\n`);
    print(`\nevidence  ${relative(process.cwd(), file)}\n`);
    print(`          ${coverage(evidence)}\n\n`);
    print(`${decisionLine(decision)}\n`);
    print(`${countsLine(countsOf(report))}\n`);
    return exitCodeOfDecision(decision, report);
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  }
}

/** What the verdict does not speak of, so that nobody takes it for more than it is. */
function coverage({ requirements: { covered, uncovered } }: Evidence): string {
  const all = covered.length + uncovered.length;
  return `speaks of ${covered.length} of ${all} requirements; the others have no check or no fault yet`;
}

async function readReport(runDirectory: string, runId: string): Promise<Report> {
  const file = join(runDirectory, 'report.json');
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new InfrastructureError('E_REPORT_MISSING', `run ${runId} left no report`, {
      cause,
      hint: `Look at ${join(runDirectory, 'run.jsonl')}.`,
    });
  });
  const report = reportSchema.parse(JSON.parse(text));
  // With --out, the folder may hold the report of an earlier run.
  if (report.run.id === runId) return report;
  throw new InfrastructureError('E_REPORT_MISSING', `${file} is of run ${report.run.id}, not of ${runId}`, {
    hint: `Look at ${join(runDirectory, 'run.jsonl')}.`,
  });
}

async function ownVersion(): Promise<Evidence['kindproof']> {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')));
  // Where kindproof was unpacked from an archive there is no git, or none of its own: then the version has to do.
  const described = await createCommandRunner()
    .run('git', ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'], {
      cwd: projectRoot,
      reject: false,
    })
    .catch(() => undefined);
  const commit = described?.exitCode === 0 ? described.stdout.trim() : '';
  return { version, ...(commit === '' ? {} : { commit }) };
}
