/** `npm run matrix`: writes docs/requirements.md, the table of all requirements with their checks and faults. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { EXIT } from '../harness/core/errors.ts';
import { listRequirements } from './e2e/requirements.ts';
import { requirementsMarkdown } from './matrix/markdown.ts';
import { parseArguments } from './parse-arguments.ts';
import { projectRoot } from './project.ts';
import { reportFailure } from './report-failure.ts';

const FILE = join('docs', 'requirements.md');

const EXAMPLES = `
Examples:
  npm run matrix                     writes ${FILE}
  npm run matrix -- --check          exits with 1 when the file is not what it would write

Exit codes: 0 written or up to date, 1 stale, 2 wrong usage, 3 it could not be written.`;

/** The command; the exit code is that of the process. */
export async function main(argv: readonly string[]): Promise<number> {
  const command = new Command('matrix')
    .description('Writes the table of requirements, their checks and their faults.')
    .option('--check', 'only say whether the file is up to date', false)
    .addHelpText('after', EXAMPLES);
  try {
    if (!parseArguments(command, argv, (text) => process.stdout.write(text))) return EXIT.passed;
    const { check } = command.opts<{ check: boolean }>();
    const path = join(projectRoot, FILE);
    const wanted = requirementsMarkdown(await listRequirements());
    if ((await readFile(path, 'utf8').catch(() => '')) === wanted) {
      process.stdout.write(`${FILE} is up to date\n`);
      return EXIT.passed;
    }
    if (check) {
      process.stdout.write(
        `${FILE} is stale: checks, faults or requirements have changed. Run \`npm run matrix\`.\n`,
      );
      return EXIT.checkFailed;
    }
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, wanted);
    process.stdout.write(`${FILE} is written\n`);
    return EXIT.passed;
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  }
}
