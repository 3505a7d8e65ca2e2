/** `npm run matrix`: writes the generated documents, docs/requirements.md and docs/report.schema.json. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { EXIT } from '../harness/core/errors.ts';
import { parseArguments } from '../harness/run/plan/parse-arguments.ts';
import { reportJsonSchema } from '../harness/run/report/json.ts';
import { listChecks } from '../harness/run/runner/vitest-runner.ts';
import { suites } from '../suites/index.ts';
import { mutationProof } from '../suites/mutation-proof.ts';
import { listRequirements } from './e2e/requirements.ts';
import { requirementsMarkdown } from './matrix/markdown.ts';
import { checksFile, projectRoot } from './project.ts';
import { reportFailure } from './report-failure.ts';

const EXAMPLES = `
Examples:
  npm run matrix                     write docs/requirements.md and docs/report.schema.json
  npm run matrix -- --check          exit with 1 if one of them is stale

Exit codes: 0 written or up to date, 1 stale, 2 wrong usage, 3 a file could not be written.`;

/** The command; the exit code is that of the process. */
export async function main(argv: readonly string[]): Promise<number> {
  const command = new Command('matrix')
    .description(
      'Writes the table of requirements with their checks and faults, and the schema of report.json.',
    )
    .option('--check', 'only report whether the files are up to date', false)
    .addHelpText('after', EXAMPLES);
  try {
    const options = parseArguments(command, argv, (text) => process.stdout.write(text));
    if (!options) return EXIT.passed;
    const documents = [
      [join('docs', 'requirements.md'), requirementsMarkdown(await listRequirements(), await neverAlone())],
      [join('docs', 'report.schema.json'), `${JSON.stringify(reportJsonSchema(), null, 2)}\n`],
    ] as const;
    let exitCode: number = EXIT.passed;
    for (const [file, wanted] of documents) {
      const state = await update(file, wanted, options.check);
      process.stdout.write(`${file} ${state}\n`);
      if (state.startsWith('is stale')) exitCode = EXIT.checkFailed;
    }
    return exitCode;
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  }
}

/** Checks whose faults another check may catch in their place. */
async function neverAlone(): Promise<string[]> {
  const projects = suites.map(({ name }) => ({ name, file: checksFile }));
  return mutationProof(await listChecks({ root: projectRoot, projects }), suites).neverAlone;
}

async function update(file: string, wanted: string, onlyCheck: boolean): Promise<string> {
  const path = join(projectRoot, file);
  if ((await readFile(path, 'utf8').catch(() => '')) === wanted) return 'is up to date';
  if (onlyCheck) return 'is stale: run `npm run matrix`';
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, wanted);
  return 'written';
}
