/** `npm run bench`: measures how long clusters, image loading and suites take on this machine. */
import { cpus } from 'node:os';
import { KIND_CLUSTER_LABEL } from '../clusters/kind/node-containers.ts';
import { createCommandRunner } from '../harness/core/command.ts';
import { throwIfAborted } from '../harness/core/deadline.ts';
import { EXIT, UsageError } from '../harness/core/errors.ts';
import type { Report } from '../harness/run/report/model.ts';
import { loadCatalogue } from '../suites/index.ts';
import { bareReport } from './bench/bare.ts';
import { parseBenchOptions, type BenchOptions } from './bench/bench-options.ts';
import { measureCluster } from './bench/measure-cluster.ts';
import { measuredRun, type MeasuredRunDeps } from './bench/measured-run.ts';
import { askedOfAll, measurePeers, peerArguments } from './bench/peers.ts';
import { peerRows, TARGETS } from './bench/peer-rows.ts';
import { benchRows, type Round } from './bench/result.ts';
import { bareTable, benchTable } from './bench/table.ts';
import { interruptSignal } from './interrupt.ts';
import { runsDirectory } from './project.ts';
import { reportFailure } from './report-failure.ts';
import { sweep } from './sweep.ts';

const NODES = 5;

/** Writes results to standard output and progress to standard error; returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const interrupt = interruptSignal();
  try {
    const options = parseBenchOptions(argv, (text) => process.stdout.write(text));
    if (!options) return EXIT.passed;
    if (options.bare !== undefined) {
      const report = await bareReport(options.bare, runsDirectory);
      print(
        options.json
          ? JSON.stringify({ run: report.run, phases: report.phases }, null, 2)
          : bareTable(report),
      );
      return EXIT.passed;
    }
    if (options.peers) {
      await benchPeers(options, { signal: interrupt.signal, onProgress: progress });
      return EXIT.passed;
    }
    const rounds = await measure(options, { signal: interrupt.signal, onProgress: progress });
    const rows = benchRows(rounds);
    const machine = { cpus: cpus().length, ...rounds[0]?.fresh.tools };
    print(
      options.json
        ? JSON.stringify({ suite: options.suite, runs: options.runs, machine, rows }, null, 2)
        : `\n${options.suite}, ${options.runs} rounds, ${machine.cpus} cores\n${benchTable(rows)}`,
    );
    return EXIT.passed;
  } catch (error) {
    return reportFailure(error, (text) => process.stderr.write(text));
  } finally {
    interrupt.dispose();
  }
}

async function measure({ suite, runs }: BenchOptions, deps: MeasuredRunDeps): Promise<Round[]> {
  return onKeptCluster(deps, await warmUp(suite), async () => {
    const rounds: Round[] = [];
    for (let round = 1; round <= runs; round += 1) {
      throwIfAborted(deps.signal);
      deps.onProgress(`round ${round} of ${runs}: new cluster`);
      const fresh = await measuredRun(['--suite', suite], deps);
      deps.onProgress(`round ${round} of ${runs}: kept cluster`);
      const reuse = await measuredRun(['--suite', suite, '--reuse'], deps);
      deps.onProgress(`round ${round} of ${runs}: cluster of ${NODES} nodes`);
      rounds.push({ fresh, reuse, fiveNodesMs: await measureCluster(NODES, deps) });
    }
    return rounds;
  });
}

/** Prints the times of all contenders. */
async function benchPeers({ runs, json }: BenchOptions, deps: MeasuredRunDeps): Promise<void> {
  const asked = await askedOfAll();
  const peers = await onKeptCluster(deps, peerArguments(asked), (warm) =>
    measurePeers(runs, warm, asked, deps),
  );
  const rows = peerRows(peers.rounds);
  const machine = { cpus: cpus().length, ...peers.tools };
  print(
    json
      ? JSON.stringify({ peers: peerArguments(asked), runs, machine, targets: TARGETS, rows }, null, 2)
      : `\n${asked.join(', ')}, ${runs} rounds, ${machine.cpus} cores\n${benchTable(rows)}`,
  );
}

/**
 * Runs once without measuring, which creates the kept cluster, and everything that is built once: images, tools, caches. Deletes the
 * cluster in the end if nobody else keeps it.
 */
async function onKeptCluster<T>(
  deps: MeasuredRunDeps,
  argv: readonly string[],
  body: (warm: Report) => Promise<T>,
): Promise<T> {
  const before = await kindClusters(deps.signal);
  deps.onProgress('warm-up, not measured');
  const warm = await measuredRun(argv, deps);
  try {
    return await body(warm);
  } finally {
    const kept = warm.cluster?.name;
    if (kept !== undefined && !before.includes(kept)) await sweep(['--run', warm.run.id]);
  }
}

/** Selects one check of the suite. */
async function warmUp(suite: string): Promise<readonly string[]> {
  const catalogue = await loadCatalogue();
  const first = catalogue.find((c) => c.definition.name === suite)?.requirements[0]?.id;
  if (first === undefined) {
    throw new UsageError('E_UNKNOWN_SUITE', `there is no suite "${suite}" with checks`, {
      hint: `Available: ${catalogue.map((c) => c.definition.name).join(', ')}`,
    });
  }
  return ['--suite', suite, '--requirement', first, '--reuse'];
}

async function kindClusters(signal: AbortSignal): Promise<string[]> {
  const args = ['ps', '--all', '--filter', `label=${KIND_CLUSTER_LABEL}`];
  // Without an engine there is no cluster; the first run starts the engine.
  const listed = await createCommandRunner({ signal })
    .run('docker', [...args, '--format', `{{.Label "${KIND_CLUSTER_LABEL}"}}`], { reject: false })
    .catch(() => undefined);
  return listed?.stdout.split('\n').filter((name) => name !== '') ?? [];
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
