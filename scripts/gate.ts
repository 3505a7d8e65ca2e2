/** `npm run gate`: runs a suite strictly, decides whether to release, and writes evidence.json. */
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

/** Returns the exit code. The output ends with the coverage, the decision, and the counts, which are the last line of every run. */
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
      proofs: gate.prove,
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
    print(`          ${coverageSentence(evidence)}\n\n`);
    print(`${decisionLine(decision)}\n`);
    print(`${countsLine(countsOf(report))}\n`);
    return exitCodeOfDecision(decision, report);
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  }
}

/** How much of the catalogue the decision covers. */
function coverageSentence({ requirements: { covered, uncovered } }: Evidence): string {
  const all = covered.length + uncovered.length;
  return `covers ${covered.length} of ${all} requirements; the others have no check or no fault yet`;
}

async function readReport(runDirectory: string, runId: string): Promise<Report> {
  const file = join(runDirectory, 'report.json');
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new InfrastructureError('E_REPORT_MISSING', `run ${runId} wrote no report`, {
      cause,
      hint: `See ${join(runDirectory, 'run.jsonl')}.`,
    });
  });
  const report = reportSchema.parse(JSON.parse(text));
  // With --out, the folder may contain the report of an earlier run.
  if (report.run.id === runId) return report;
  throw new InfrastructureError(
    'E_REPORT_MISSING',
    `${file} belongs to run ${report.run.id}, not to ${runId}`,
    {
      hint: `See ${join(runDirectory, 'run.jsonl')}.`,
    },
  );
}

async function ownVersion(): Promise<Evidence['kindproof']> {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')));
  // Without a git checkout, only the version identifies kindproof.
  const described = await createCommandRunner()
    .run('git', ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'], {
      cwd: projectRoot,
      reject: false,
    })
    .catch(() => undefined);
  const commit = described?.exitCode === 0 ? described.stdout.trim() : '';
  return { version, ...(commit === '' ? {} : { commit }) };
}
