/** `npm run torture`: disturbs runs of kindproof itself, and verifies how they end and what they leave. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCommandRunner } from '../harness/core/command.ts';
import { throwIfAborted } from '../harness/core/deadline.ts';
import { InfrastructureError, messageOf } from '../harness/core/errors.ts';
import type { Counts } from '../harness/run/report/verdict.ts';
import { sweep } from './sweep.ts';
import { engineProxy } from './torture/engine-proxy.ts';
import { faultOf, resultTable, type Result } from './torture/result.ts';
import type { Scenario } from './torture/scenario.ts';
import { SCENARIOS } from './torture/scenarios.ts';
import { KEPT_CLUSTER, runTrial } from './torture/trial.ts';
import { runListedCommand } from './listed-command.ts';

const EXAMPLES = `
Examples:
  npm run torture                             all scenarios; takes up to an hour
  npm run torture -- --quick                  the few that \`npm test\` includes
  npm run torture -- --only sigkill-checks    one of them
  npm run torture -- --list

It starts \`npm run e2e\` for the suite toolman, disturbs only these runs and their clusters, and removes what they leave.
Exit codes: 0 every run ended as it must, 1 one did not, 2 wrong usage, 3 the infrastructure failed, 130 interrupted.`;

export function main(argv: readonly string[]): Promise<number> {
  const description = 'Disturbs runs of kindproof, and verifies exit code, verdict and leftovers.';
  const command = { name: 'torture', item: 'scenario', items: SCENARIOS, description, examples: EXAMPLES };
  return runListedCommand({ ...command, run: runTorture }, argv);
}

/** Runs the scenarios one after the other, and prints their table. Those that need root are skipped for other users. */
export async function runTorture(scenarios: readonly Scenario[], signal: AbortSignal): Promise<Counts> {
  const isRoot = process.getuid?.() === 0;
  const possible = scenarios.filter(({ needsRoot }) => isRoot || needsRoot !== true);
  for (const { title } of scenarios.filter((scenario) => !possible.includes(scenario))) {
    console.log(`○ ${title}: skipped, needs root`);
  }
  const results = await torture(possible, signal);
  console.log(`\n${resultTable(results)}\n`);
  const failed = results.filter((result) => faultOf(result) !== undefined).length;
  return { passed: results.length - failed, failed, skipped: scenarios.length - possible.length };
}

async function torture(scenarios: readonly Scenario[], signal: AbortSignal): Promise<Result[]> {
  const command = createCommandRunner();
  const engine = await engineSocket();
  const results: Result[] = [];
  try {
    for (const scenario of scenarios) {
      throwIfAborted(signal);
      process.stderr.write(`· ${scenario.title}\n`);
      const directory = await mkdtemp(join(tmpdir(), 'kindproof-torture-'));
      const proxy = await engineProxy(directory, engine);
      try {
        const outcome = await runTrial(scenario, { command, directory, signal, engine: proxy });
        const result = { scenario, outcome };
        results.push(result);
        const fault = faultOf(result);
        process.stderr.write(fault === undefined ? '  as it must\n' : `  ${fault}\n${outcome.tail}\n`);
      } finally {
        await proxy.cut();
        await rm(directory, { recursive: true, force: true });
      }
    }
    return results;
  } finally {
    if (scenarios.some(({ cluster }) => cluster === 'kept')) await sweep(['--run', KEPT_CLUSTER]);
  }
}

/** Path of the engine's Unix socket. */
async function engineSocket(): Promise<string> {
  const address = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
  const [, path] = /^unix:\/\/(.+)$/.exec(address) ?? [];
  try {
    if (path === undefined) throw new Error(`DOCKER_HOST is ${address}`);
    await createCommandRunner().run('docker', ['version'], { timeoutMs: 30_000 });
    return path;
  } catch (error) {
    throw new InfrastructureError('E_TORTURE', `no engine on a Unix socket: ${messageOf(error)}`, {
      cause: error,
      hint: 'run `npm run doctor -- --fix`',
    });
  }
}
