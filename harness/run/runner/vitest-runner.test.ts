import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCommandRunner } from '../../core/command.ts';
import { type Clock, systemClock } from '../../core/deadline.ts';
import type { CheckResult, Proof } from '../report/model.ts';
import type { WorkerConfig } from '../suite/worker-config.ts';
import { smallSuites, type SmallSuites } from '../../testing/small-suite.ts';
import type { RunnerSummary } from './result-reporter.ts';
import { listChecks, runChecks, type RunnerOptions } from './vitest-runner.ts';

let written: SmallSuites;
let root: string;

const FILES = {
  mixed: `
passes('T-01');
fails('T-02', '2 of 3 replicas');
skips('T-03', 'the cluster lacks x');
check('T-04', () => { throw new Error('a bug of the harness'); });
check('T-05', () => { throw new Error('never run'); }, { unselected: true });
check('T-06', () => new Promise(() => {}), { timeout: 100 });
check('T-07', ({ task }) => {
  ends(task, 'passed');
  throw new Error('an error behind the back of the check');
});
`,
  broken: `throw new Error('cannot be loaded');`,
  syntax: `const = ;`,
  stray: `
check('T-01', async ({ task }) => {
  ends(task, 'passed');
  void Promise.reject(new Error('nobody waited for it'));
  await new Promise((resolve) => setTimeout(resolve, 100));
});
`,
  hanging: `
check('T-01', async ({ signal }) => {
  trace('hanging');
  signal.addEventListener('abort', () => trace(signal.reason.name));
  await new Promise((resolve) => setTimeout(resolve, 30_000));
}, { exclusive: true });
passes('T-02', { exclusive: true });
`,
  outage: `
passes('T-01', { exclusive: true });
loses('T-02');
passes('T-03', { exclusive: true });
`,
  tagged: `
passes('T-01', { tags: ['static'] });
passes('T-02', { tags: ['live'] });
passes('T-03', { tags: ['live', 'disruptive'] });
`,
  noticing: `
check('T-01', ({ task }) => {
  ends(task, 'passed');
  task.meta.kindproof.outcome.notice = 'there is room for 2 releases';
});
`,
  proofs: `
fault('found', ({ task }) => { proves(task, 'caught', 'T-01: red'); });
fault('unseen', ({ task }) => {
  proves(task, 'missed', 'T-01 stayed green');
  throw new Error('T-01 stayed green');
});
fault('late', ({ task }) => { proves(task, 'caught', 'T-01: red'); throw new Error('an error after the proof'); });
fault('died', () => { throw new Error('the proof fell over'); });
fault('endless', () => new Promise(() => {}), 100);
`,
  hungry: `
passes('T-01');
check('T-02', async () => {
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const eaten = []; ; ) eaten.push(Array(100_000).fill(eaten));
});
fault('f', () => new Promise(() => {}));
`,
  // Blocks the thread: it hears of nothing any more.
  blocked: `check('T-01', async () => { trace('blocked'); for (;;); });`,
  'slow-teardown': `
import { afterAll } from 'vitest';
check('T-01', () => { trace('running'); return new Promise(() => {}); });
afterAll(async () => {
  trace('taking down');
  await new Promise((resolve) => setTimeout(resolve, 500));
  trace('took down');
});
`,
  empty: '',
};

beforeAll(async () => {
  written = await smallSuites(FILES);
  root = written.root;
});
afterAll(() => written.dispose());

const project = (suite: string) => ({
  name: suite,
  file: join(root, suite, 'checks.e2e.mjs'),
  config: {
    mode: 'check',
    runId: 'id',
    runDirectory: root,
    suite,
    subject: { chart: '', values: [], set: [], patches: [], reference: true, images: [] },
    secrets: {},
    redact: { values: [] },
  } satisfies WorkerConfig,
});

interface Seen extends RunnerSummary {
  started: string[];
  checks: Record<string, Pick<CheckResult, 'status' | 'reason'>>;
  proofs: Proof[];
  notices: string[];
}

async function run(
  suites: string[],
  options: { signal?: AbortSignal; onStart?: () => void } & Partial<RunnerOptions> = {},
): Promise<Seen> {
  const started: string[] = [];
  const checks: Seen['checks'] = {};
  const proofs: Proof[] = [];
  const notices: string[] = [];
  const summary = await runChecks({
    root,
    projects: options.projects ?? suites.map(project),
    signal: options.signal ?? new AbortController().signal,
    clock: options.clock,
    listener: {
      onStart: ({ id }) => {
        started.push(id);
        options.onStart?.();
      },
      onRunning: () => {},
      onStalls: () => {},
      onNotice: (text) => notices.push(text),
      onSecrets: () => {},
      onCapabilities: () => {},
      onCheck: (result) => {
        expect(result.file).toBe(join(result.suite, 'checks.e2e.mjs'));
        checks[result.id] = {
          status: result.status,
          ...(result.reason === undefined ? {} : { reason: result.reason }),
        };
      },
      onProof: (proof) => proofs.push(proof),
    },
  });
  return { ...summary, started, checks, proofs, notices };
}

/** A hundred times as fast. */
const fastClock = (): Clock => ({
  now: () => systemClock.now(),
  sleep: (ms, signal) => systemClock.sleep(ms / 100, signal),
});

// Whole processes, possibly on a busy machine.
const PATIENT = { timeout: 120_000 };

const projectRoot = fileURLToPath(new URL('../../..', import.meta.url));

const trace = (suite: string) => readFile(join(root, suite, 'trace'), 'utf8').catch(() => '');

describe('runChecks', () => {
  it('reports the result of each check, also of one that dies', async () => {
    const seen = await run(['mixed']);
    expect(seen.checks).toEqual({
      'mixed/T-01': { status: 'passed' },
      'mixed/T-02': { status: 'failed', reason: '2 of 3 replicas' },
      'mixed/T-03': { status: 'skipped', reason: 'the cluster lacks x' },
      'mixed/T-04': { status: 'errored', reason: 'a bug of the harness' },
      'mixed/T-06': { status: 'errored', reason: expect.stringMatching(/timed out in 100ms/) as string },
      'mixed/T-07': { status: 'errored', reason: 'an error behind the back of the check' },
    });
    expect(seen.started.toSorted()).toEqual(Object.keys(seen.checks).toSorted());
    expect(seen).toMatchObject({ errors: [], interrupted: false });
    expect(seen.infrastructure).toBeUndefined();
  });

  it('reports errors of files and errors outside of checks, and still runs the other projects', async () => {
    const seen = await run(['broken', 'syntax', 'stray', 'empty']);
    expect(seen.errors).toEqual([
      expect.stringMatching(/nobody waited for it/),
      expect.stringMatching(/^broken\/checks\.e2e\.mjs: cannot be loaded/),
      expect.stringMatching(/^syntax\/checks\.e2e\.mjs: /),
    ]);
    expect(seen.checks).toMatchObject({ 'stray/T-01': { status: 'passed' } });
    expect(seen.interrupted).toBe(false);
  });

  it('distinguishes a missing file from a file without checks', async () => {
    expect((await run(['absent', 'empty'])).errors).toEqual(['absent/checks.e2e.mjs: there is no such file']);
  });

  it('ends soon after an interruption, without results of running checks', async () => {
    const controller = new AbortController();
    const seen = await run(['hanging', 'mixed'], {
      signal: controller.signal,
      onStart: () => {
        controller.abort();
      },
    });
    expect(seen).toMatchObject({ interrupted: true, checks: {}, errors: [] });
    expect(await trace('hanging')).not.toContain('T-02');
    // By this name the kit tells a cancelled run from a test that took too long.
    expect(await trace('hanging')).toContain('TestRunAbortError');
  });

  it('ends a blocked worker some time after an interruption', PATIENT, async () => {
    const controller = new AbortController();
    const running = run(['blocked', 'mixed'], { signal: controller.signal, clock: fastClock() });
    await vi.waitFor(async () => expect(await trace('blocked')).toContain('blocked'), PATIENT);
    controller.abort();
    expect(await running).toMatchObject({ interrupted: true, checks: {}, errors: [] });
  });

  it('lets a worker take down after an interruption', PATIENT, async () => {
    const has = (text: string) =>
      vi.waitFor(async () => expect(await trace('slow-teardown')).toContain(text), PATIENT);
    const controller = new AbortController();
    // The first time limit passes while the worker takes down.
    let sleeps = 0;
    const clock: Clock = {
      now: () => 0,
      sleep: async (_, signal) => {
        sleeps += 1;
        if (sleeps > 1) return systemClock.sleep(60_000, signal);
        await has('taking down');
        await systemClock.sleep(50);
      },
    };
    const running = run(['slow-teardown'], { signal: controller.signal, clock });
    await has('running');
    controller.abort();
    expect(await running).toMatchObject({ interrupted: true, errors: [] });
    expect(await trace('slow-teardown')).toContain('took down');
  });

  it(
    'reports what ran in a worker that runs out of memory, and starts the next project',
    PATIENT,
    async () => {
      const program = `
      import { runChecks } from './harness/run/runner/vitest-runner.ts';
      const results = [];
      const ignore = () => {};
      const summary = await runChecks({
        root: ${JSON.stringify(root)},
        projects: ${JSON.stringify(['hungry', 'tagged'].map(project))},
        signal: new AbortController().signal,
        listener: {
          onStart: ignore, onRunning: ignore, onSecrets: ignore, onCapabilities: ignore, onStalls: ignore, onNotice: ignore,
          onCheck: ({ id, status, reason }) => results.push([id, status, reason]),
          onProof: ({ fault, outcome, reason }) => results.push([fault, outcome, reason]),
        },
      });
      console.log(JSON.stringify({ ...summary, results }));
      process.exit(0);`;
      const { stdout } = await createCommandRunner().run(
        process.execPath,
        ['--import', 'tsx/esm', '--input-type=module', '--eval', program],
        // Worker threads have the limit of the process.
        { cwd: projectRoot, env: { NODE_OPTIONS: '--max-old-space-size=200' } },
      );
      const died =
        'the worker that runs the checks died: Worker terminated due to reaching memory limit: JS heap out of memory';
      const { results, ...summary } = JSON.parse(stdout) as RunnerSummary & { results: unknown };
      expect(summary).toMatchObject({ interrupted: false, died });
      expect(results).toEqual([
        ['hungry/T-01', 'passed', null],
        ['hungry/T-02', 'errored', died],
        ['f', 'errored', `the proof ended early: ${died}`],
        ...['tagged/T-01', 'tagged/T-02', 'tagged/T-03'].map((id) => [id, 'passed', null]),
      ]);
    },
  );

  it('starts nothing when it was interrupted before', async () => {
    const seen = await run(['tagged'], { signal: AbortSignal.abort() });
    expect(seen).toMatchObject({ interrupted: true, started: [], checks: {} });
  });

  it('cancels the remaining checks when the cluster is lost', async () => {
    const seen = await run(['outage', 'tagged']);
    expect(seen).toMatchObject({
      infrastructure: { message: 'the cluster is gone', hint: 'look' },
      interrupted: false,
      errors: [],
      checks: { 'outage/T-01': { status: 'passed' } },
    });
    expect(Object.keys(seen.checks)).toEqual(['outage/T-01']);
  });

  it('runs only the checks that were selected', async () => {
    const chosen = project('tagged');
    const seen = await run(['tagged'], {
      projects: [{ ...chosen, config: { ...chosen.config, checks: ['tagged/T-01', 'tagged/T-03'] } }],
    });
    expect(Object.keys(seen.checks).toSorted()).toEqual(['tagged/T-01', 'tagged/T-03']);
    expect(seen.errors).toEqual([]);
  });

  it('passes on what a check says about the run', async () => {
    expect((await run(['noticing'])).notices).toEqual(['there is room for 2 releases']);
  });

  it('reports every fault, also one whose proof died', async () => {
    const { proofs, checks } = await run(['proofs']);
    expect(Object.fromEntries(proofs.map((p) => [p.fault, [p.outcome, p.reason]]))).toEqual({
      found: ['caught', 'T-01: red'],
      unseen: ['missed', 'T-01 stayed green'],
      late: ['errored', 'the proof ended early: an error after the proof'],
      died: ['errored', 'the proof ended early: the proof fell over'],
      endless: ['errored', expect.stringMatching(/the proof ended early: .*timed out in 100ms/)],
    });
    expect(checks).toEqual({});
  });

  it('removes the handlers with which vitest would end the process', async () => {
    const listeners = () =>
      ['SIGINT', 'SIGTERM', 'SIGHUP', 'unhandledRejection'].map((event) =>
        process.listeners(event as 'SIGINT'),
      );
    const before = listeners();
    const during: (typeof before)[] = [];
    await run(['tagged'], { onStart: () => during.push(listeners()) });
    expect(during[0]).toEqual(before);
    expect(listeners()).toEqual(before);
  });
});

describe('listChecks', () => {
  it('lists every check, also unselected ones, and runs none', async () => {
    await rm(join(root, 'tagged', 'trace'), { force: true });
    const checks = await listChecks({ root, projects: ['mixed', 'tagged'].map(project) });
    expect(checks).toContainEqual({
      id: 'mixed/T-05',
      suite: 'mixed',
      file: join('mixed', 'checks.e2e.mjs'),
      requirements: ['T-05'],
      title: 'about T-05',
      tags: ['mixed', 'live'],
    });
    expect(checks).toHaveLength(10);
    expect(await trace('tagged')).toBe('');
  });

  it('names the file that fails to load', async () => {
    const listing = listChecks({ root, projects: [project('broken')] });
    await expect(listing).rejects.toMatchObject({ code: 'E_COLLECT', exitCode: 3 });
    await expect(listing).rejects.toThrow('broken/checks.e2e.mjs: cannot be loaded');
  });
});
