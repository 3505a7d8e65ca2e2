/** `npm run doctor`: looks at the machine, and with --fix mends it. */
import { join } from 'node:path';
import { Command } from 'commander';
import { findLeftovers, summariseLeftovers } from '../clusters/leftovers.ts';
import { createCommandRunner } from '../harness/core/command.ts';
import { systemClock } from '../harness/core/deadline.ts';
import { EXIT } from '../harness/core/errors.ts';
import { createFileLog } from '../harness/core/log.ts';
import type { Finding } from '../harness/host/preflight/finding.ts';
import { localMachine } from '../harness/host/preflight/machine.ts';
import { runPreflight } from '../harness/host/preflight/preflight.ts';
import { renderFindings } from '../harness/host/preflight/render.ts';
import { askYesNo } from './ask.ts';
import { hasNodeImage } from './has-node-image.ts';
import { interruptSignal } from './interrupt.ts';
import { parseArguments } from './parse-arguments.ts';
import { cacheDirectory, projectRoot, runsDirectory } from './project.ts';
import { reportFailure } from './report-failure.ts';

const EXAMPLES = `
Examples:
  npm run doctor                     what is well, what is not, and what to do about it
  npm run doctor -- --fix            … and do it; asks before it changes the machine when you are at a terminal
  npm run doctor -- --fix --yes      … without asking
  npm run -s doctor -- --json        the findings for a script

Exit codes: 0 no problem (warnings may be left), 2 wrong usage, 3 a problem is left, 130 interrupted.`;

/** The command; writes findings to standard output and returns the exit code. */
export async function doctor(argv: readonly string[]): Promise<number> {
  const interrupt = interruptSignal();
  const command = new Command('doctor')
    .description('Looks whether this machine can run kindproof, and mends what it can.')
    .option('--fix', 'mend what can be mended', false)
    .option('--yes', 'do not ask before the machine is changed', false)
    .option('--json', 'machine-readable findings', false)
    .addHelpText('after', EXAMPLES);
  try {
    if (!parseArguments(command, argv, (text) => process.stdout.write(text))) return EXIT.passed;
    const options = command.opts<{ fix: boolean; yes: boolean; json: boolean }>();
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
        // Standard output belongs to the findings, so that --json stays parseable.
        onProgress: (text) => process.stderr.write(`· ${text}\n`),
        confirm: (question) => askYesNo(question, interrupt.signal),
        leftovers: async () => {
          const registry = { runsDir: runsDirectory };
          return summariseLeftovers(await findLeftovers({ run, registry, now: () => systemClock.now() }));
        },
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
    process.stdout.write(options.json ? toJson(findings) : `${renderFindings(findings, colours())}\n`);
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

function colours(): { colour: boolean } {
  return { colour: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' };
}

export { doctor as main };
