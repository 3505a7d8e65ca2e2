/** `npm run doctor`: inspects the machine and, with --fix, fixes it. */
import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { createCommandRunner } from '../harness/core/command.ts';
import { systemClock } from '../harness/core/deadline.ts';
import { EXIT } from '../harness/core/errors.ts';
import { createFileLog } from '../harness/core/log.ts';
import { createStyle, wantsColor } from '../harness/core/style.ts';
import type { Finding } from '../harness/host/preflight/finding.ts';
import { localMachine } from '../harness/host/preflight/machine.ts';
import { runPreflight } from '../harness/host/preflight/preflight.ts';
import { renderFindings } from '../harness/host/preflight/render.ts';
import { parseArguments } from '../harness/run/plan/parse-arguments.ts';
import { askYesNo } from './ask.ts';
import { hasNodeImage } from './has-node-image.ts';
import { interruptSignal } from './interrupt.ts';
import { leftoversForPreflight } from './machine-leftovers.ts';
import { cacheDirectory, projectRoot } from './project.ts';
import { reportFailure } from './report-failure.ts';

const EXAMPLES = `
Examples:
  npm run doctor                     report problems and how to fix them
  npm run doctor -- --fix            fix them; at a terminal, asks before changing the machine
  npm run doctor -- --fix --yes      fix them without asking
  npm run -s doctor -- --json        findings as JSON

Exit codes: 0 no problem (warnings may remain), 2 wrong usage, 3 a problem remains, 130 interrupted.`;

/** The command; writes findings to standard output and returns the exit code. */
export async function doctor(argv: readonly string[]): Promise<number> {
  const interrupt = interruptSignal();
  const command = new Command('doctor')
    .description('Inspects whether this machine can run kindproof, and fixes what it can.')
    .option('--fix', 'fix what can be fixed', false)
    .option('--yes', 'do not ask before changing the machine', false)
    .option('--json', 'machine-readable findings', false)
    .addHelpText('after', EXAMPLES);
  try {
    const options = parseArguments(command, argv, (text) => process.stdout.write(text));
    if (!options) return EXIT.passed;
    const log = createFileLog(join(cacheDirectory, 'doctor.log'));
    const run = createCommandRunner({ log, signal: interrupt.signal });
    const findings = await runPreflight(
      {
        run,
        log,
        clock: systemClock,
        machine: localMachine(),
        env: process.env,
        projectDir: projectRoot,
        cacheDir: cacheDirectory,
        // Standard output is reserved for the findings, so that --json stays parseable.
        onProgress: (text) => process.stderr.write(`· ${text}\n`),
        confirm: (question) => askYesNo(question, interrupt.signal),
        ...leftoversForPreflight(run, log, interrupt.signal),
        signal: interrupt.signal,
      },
      {
        fix: options.fix,
        interactive: process.stdin.isTTY && !options.yes,
        need: {
          cluster: 'kind',
          nodes: 5,
          buildNodeImage: !(await hasNodeImage(run)),
          buildImages: true,
          tools: ['kind', 'helm'],
        },
      },
    );
    const style = createStyle(wantsColor(process.env, process.stdout.isTTY));
    process.stdout.write(options.json ? toJson(findings) : `${renderFindings(findings, style)}\n`);
    return findings.some(({ status }) => status === 'problem') ? EXIT.infrastructure : EXIT.passed;
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  } finally {
    interrupt.dispose();
  }
}

function toJson(findings: readonly Finding[]): string {
  const plain = findings.map(({ id, title, status, found, why, remedy, fix }) => {
    return { id, title, status, found, why, remedy, fixable: fix !== undefined };
  });
  return `${JSON.stringify(plain, null, 2)}\n`;
}

export { doctor as main };
