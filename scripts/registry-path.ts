/** `npm run registry-path`: what kindproof does with registries that deliver, refuse, fail and lie. */
import { access } from 'node:fs/promises';
import { createCommandRunner } from '../harness/core/command.ts';
import { throwIfAborted } from '../harness/core/deadline.ts';
import { silentLog } from '../harness/core/log.ts';
import { resolveTool } from '../harness/host/tools/resolve-tool.ts';
import type { Counts } from '../harness/run/report/verdict.ts';
import { cacheDirectory } from './project.ts';
import { CASES, type Case } from './registry-path/cases.ts';
import { whyNoEngine } from './registry-path/engine.ts';
import { startRegistryPath } from './registry-path/registry-path.ts';
import { registryProgram } from './registry-path/registry.ts';
import { bridgeResult, resultTable, runCase, type Result } from './registry-path/run-case.ts';
import { runListedCommand } from './listed-command.ts';

const EXAMPLES = `
Examples:
  npm run registry-path                       all cases; takes some minutes
  npm run registry-path -- --quick            the few that \`npm test\` includes
  npm run registry-path -- --only image-401   one of them
  npm run registry-path -- --list

It starts a registry and a container engine of its own, on this machine; the user's engine is not used. Needs Linux, root, dockerd,
containerd, openssl, and Go for the first build of the registry.
Exit codes: 0 every case ended as it must, 1 one did not, 2 wrong usage, 3 the infrastructure failed, 130 interrupted.`;

export function main(argv: readonly string[]): Promise<number> {
  const description =
    'Tests how kindproof reacts to container registries, with a real registry and a real engine.';
  const command = { name: 'registry-path', item: 'case', items: CASES, description, examples: EXAMPLES };
  return runListedCommand({ ...command, run: runRegistryPath }, argv);
}

/**
 * Runs the cases one after the other and prints their table. On a machine that cannot run them, they are skipped, with the reason.
 *
 * @throws InfrastructureError `E_REGISTRY_PATH` when registry or engine do not start; everything is stopped on every way out
 */
export async function runRegistryPath(cases: readonly Case[], signal: AbortSignal): Promise<Counts> {
  const { env } = process;
  const onProgress = (text: string): void => {
    process.stderr.write(`· ${text}\n`);
  };
  const command = createCommandRunner({ signal });
  const deps = { run: command, log: silentLog, cacheDir: cacheDirectory, env, signal, onProgress };
  const skipAll = (why: string): Counts => {
    console.log(`○ registry path: skipped, ${why}`);
    return { passed: 0, failed: 0, skipped: cases.length };
  };
  const noEngine = await whyNoEngine(env);
  if (noEngine !== undefined) return skipAll(noEngine);
  const registry = await registryProgram(deps);
  if (registry === undefined) return skipAll('the registry is not built yet, and Go is not installed');
  const { path: helm } = await resolveTool('helm', deps);
  onProgress('starting registry and engine');
  const hadBridge = await hasDockerBridge();
  const path = await startRegistryPath({ registry, helm }, command, signal);
  const results: Result[] = [];
  try {
    for (const one of cases) {
      throwIfAborted(signal);
      const result = await runCase(one, path);
      results.push(result);
      onProgress(
        `${one.title}${result.fault === undefined ? '' : `\n  ${result.fault}\n  ${result.outcome}`}`,
      );
    }
  } finally {
    await path.stop();
  }
  if (hadBridge) results.push(bridgeResult(await hasDockerBridge()));
  console.log(`\n${resultTable(results)}\n`);
  const failed = results.filter(({ fault }) => fault !== undefined).length;
  return { passed: results.length - failed, failed, skipped: 0 };
}

/** Whether the user's engine has its bridge. */
function hasDockerBridge(): Promise<boolean> {
  return access('/sys/class/net/docker0').then(
    () => true,
    () => false,
  );
}
