import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decide } from '../../../scripts/gate/decide.ts';
import { buildEvidence } from '../../../scripts/gate/evidence.ts';
import { createCommandRunner } from '../../core/command.ts';
import { maskSet } from '../../core/credentials.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { secretsIn } from '../../kube/api/secret-values.ts';
import type { KubeObject } from '../../kube/api/types.ts';
import { collectEvidence } from '../../observe/diagnose/evidence.ts';
import { startRecorder } from '../../observe/recorder/recorder.ts';
import { watchSecrets } from '../../observe/recorder/secret-watch.ts';
import { sampleCheck, sampleFailure } from '../../testing/sample-report.ts';
import { makeEvent, makePod } from '../../testing/sample-world.ts';
import { PEM, SECRET, SPELLINGS } from '../../testing/secret-spellings.ts';
import { parseOptions } from '../plan/options.ts';
import { createGithubReporter } from '../report/github/github.ts';
import { htmlReporter } from '../report/html/html.ts';
import { jsonReporter } from '../report/json.ts';
import { junitReporter } from '../report/junit/junit.ts';
import { report as reportSchema } from '../report/model.ts';
import { createTerminalReporter } from '../report/terminal/terminal.ts';
import type { RunCluster, RunProject } from './ports.ts';
import { runTasks } from './run.ts';
import type { Task } from './task.ts';
import type { TestRun } from './test-run.ts';

const ALL = SPELLINGS.map(({ text }) => text).join('\n---\n');

/** What a chart creates: the values are known only from the cluster. */
const secretObject: KubeObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'credentials', namespace: 'n' },
  data: { token: Buffer.from(SECRET).toString('base64'), 'tls.key': Buffer.from(PEM).toString('base64') },
  type: 'kubernetes.io/tls',
};
const pod = makePod({ statuses: [{ state: { waiting: { reason: 'CrashLoopBackOff' } } }] });
const event = makeEvent({ reason: 'BackOff', message: ALL });

/** Has the pod, whose environment, log and event tell everything. */
function tellingKube(): KubeClient {
  const told = { ...pod, spec: { containers: [{ name: 'app', env: [{ name: 'X', value: ALL }] }] } };
  const objects: Record<string, unknown[]> = { Pod: [told], Event: [event], Secret: [secretObject] };
  const of = (kind: unknown): unknown[] => objects[String(kind)] ?? [];
  const watch = (kind: unknown, _where: unknown, onEvent: (e: unknown) => void) => {
    for (const object of of(kind)) onEvent({ type: 'ADDED', object, receivedAt: 1 });
    return { synced: Promise.resolve(), stop: () => Promise.resolve() };
  };
  return {
    list: (kind: unknown) => Promise.resolve(of(kind)),
    logs: () => Promise.resolve(ALL),
    watch,
    follow: watch,
  } as unknown as KubeClient;
}

let folder: string;
let directory: string;
const shown = { terminal: '', github: '' };
/** Contents by artefact. */
const artefacts: Record<string, string> = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kp-unit-redaction-'));
  directory = join(folder, 'run');
  const summary = join(folder, 'summary.md');
  const github = createGithubReporter({
    env: { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary },
    stream: { write: (text: string) => (shown.github += text) },
  });
  const terminal = createTerminalReporter({
    stream: { write: (text: string) => (shown.terminal += text) },
    isTty: false,
    color: false,
    columns: 120,
    verbose: true,
  });
  await execute(tell, { reporters: [jsonReporter, junitReporter, htmlReporter, github!, terminal] });
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    artefacts[file.slice(directory.length + 1)] = await readFile(file, 'utf8');
  }
  artefacts['evidence.json'] = evidenceOf(artefacts['report.json'] ?? '');
  artefacts['terminal'] = shown.terminal;
  artefacts['GitHub annotations'] = shown.github;
  artefacts['GitHub step summary'] = existsSync(summary) ? await readFile(summary, 'utf8') : '';
});
afterAll(() => rm(folder, { recursive: true }));

/** As the gate builds it from report.json, and from `--set`. */
function evidenceOf(reportText: string): string {
  const report = reportSchema.parse(JSON.parse(reportText));
  const circumstances = { proofs: true, chartUnchanged: true, imageProblems: [], dirty: false };
  const evidence = buildEvidence({
    decision: decide(report, circumstances),
    report,
    suite: 'toolman',
    set: [`db.password=${SECRET}`].map(maskSet),
    images: { images: [], notRun: [], problems: [] },
    kindproof: { version: '0.1.0', dirty: false },
    files: [],
    writtenAt: report.run.startedAt,
  });
  expect(evidence.reasons).not.toEqual([]);
  expect(evidence.checks).toHaveLength(2);
  expect(evidence.proofs).toHaveLength(1);
  return JSON.stringify(evidence, null, 2);
}

/** Writes everything that a run writes, with the secret in all its texts. */
async function tell(run: TestRun): Promise<void> {
  // Written before the secret is known.
  run.log.info(`early ${ALL}`, { early: ALL });
  const kube = tellingKube();
  await writeFile(join(directory, 'early.txt'), ALL);
  const early = await startRecorder({
    kube,
    namespace: 'early',
    file: join(directory, 'recording', 'early.jsonl'),
    log: run.log,
  });
  await early.stop();

  run.learn(secretsIn([secretObject]));
  run.log.info(ALL, { nested: { [ALL]: [ALL] } });
  const late = await startRecorder({
    kube,
    namespace: 'n',
    file: join(directory, 'recording', 'n.jsonl'),
    redact: run.redactor.redact,
    log: run.log,
  });
  await late.stop();
  await collectEvidence(kube, 'n', join(directory, 'suite', 'T-01', 'n'), { redactor: run.redactor });
  const failure = sampleFailure();
  const check = sampleFailure({
    title: ALL,
    reason: ALL,
    observed: [ALL],
    diagnosis: {
      ...failure.diagnosis!,
      summary: ALL,
      expected: ALL,
      actual: ALL,
      hint: ALL,
      causes: [{ object: 'Pod x', says: ALL }],
      timeline: [{ afterMs: 1, text: ALL }],
    },
  });
  const passed = sampleCheck({ observed: [ALL] });
  const proof = {
    fault: 'f',
    suite: 'toolman',
    requirements: ['T-28'],
    outcome: 'missed' as const,
    reason: ALL,
    durationMs: 1,
    namespaces: [],
  };
  run.report.checks.push(check, passed);
  run.report.proofs = [proof];
  for (const c of [check, passed])
    run.emit({ type: 'check-ended', check: c, suite: 'toolman', rerun: `again ${ALL}` });
  run.emit({ type: 'proof-ended', proof });
  run.emit({ type: 'phase-progress', name: 'checks', text: ALL });
  run.warn(ALL, ALL);
  throw new Error(ALL);
}

async function execute(
  setup: (run: TestRun) => Promise<void> | void,
  more: { reporters?: Parameters<typeof runTasks>[0]['reporters']; argv?: string[] } = {},
): Promise<void> {
  const task: Task = { title: 'checks', setup: (run) => Promise.resolve(setup(run)) };
  await runTasks(
    {
      options: parseOptions(more.argv ?? [], () => {})!,
      plan: { runId: 'id', checks: true, rotation: 0, suites: [] },
      directory,
      signal: new AbortController().signal,
      project: {
        root: folder,
        commandLine: 'npm run e2e',
        requirementRows: () => Promise.resolve([]),
      } as unknown as RunProject,
      cluster: { leftovers: () => Promise.resolve([]) } as unknown as RunCluster,
      reporters: more.reporters ?? [],
    },
    [task],
  );
}

const WRITTEN = [
  'run.jsonl',
  'early.txt',
  'recording/early.jsonl',
  'recording/n.jsonl',
  'suite/T-01/n/events.txt',
  'suite/T-01/n/logs/web-1/app.log',
  'suite/T-01/n/pods.yaml',
  'suite/T-01/n/secrets.yaml',
  'report.json',
  'evidence.json',
  'report.html',
  'junit.xml',
  'terminal',
  'GitHub annotations',
  'GitHub step summary',
];

describe.each(WRITTEN)('%s', (name) => {
  const text = (): string => (artefacts[name] ?? '').replaceAll('&amp;', '&');

  it('has been written', () => {
    expect(text()).toContain('•••');
  });

  it.each(SPELLINGS.map((s) => [s.name, s.traces] as const))(
    'does not contain the secret as %s',
    (_, traces) => {
      for (const trace of traces) expect(text()).not.toContain(trace);
    },
  );
});

describe('the files of a run', () => {
  it('are all among those that are examined here, and only the user can read them', async () => {
    const names = Object.keys(artefacts);
    expect(names.filter((name) => artefacts[name]?.includes('canary'))).toEqual([]);
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const { mode } = await stat(join(entry.parentPath, entry.name));
      // The test itself wrote early.txt.
      if (entry.name === 'early.txt') continue;
      expect(`${entry.name} ${(mode & 0o777).toString(8)}`).toBe(
        `${entry.name} ${entry.isDirectory() ? '700' : '600'}`,
      );
    }
  });

  it('stay valid, also when a line is redacted afterwards', () => {
    for (const name of ['run.jsonl', 'recording/early.jsonl', 'recording/n.jsonl']) {
      for (const line of artefacts[name]!.trim().split('\n'))
        expect(() => JSON.parse(line) as unknown).not.toThrow();
    }
    expect(() => JSON.parse(artefacts['report.json']!) as unknown).not.toThrow();
  });
});

describe('secrets of the run', () => {
  it('include credentials of --set, which commands do not show', async () => {
    let line = '';
    await execute(
      async (run) => {
        const command = createCommandRunner({ log: run.log });
        const { command: asShown } = await command.run('echo', ['--set', 'auth.password=hunter2X,size=3']);
        line = asShown;
        run.log.info('the container says hunter2X');
        run.log.info('password: hunter2');
      },
      { argv: ['--set', 'auth.password=hunter2X', 'db.token=hunter2'] },
    );
    expect(line).toBe("echo --set 'auth.password=•••,size=3'");
    expect(await readFile(join(directory, 'run.jsonl'), 'utf8')).not.toContain('hunter2');
  });

  it('are learned by a watch, and by nothing where Secrets may not be watched', async () => {
    await execute(async (run) => {
      const refused = Promise.reject(new Error('forbidden'));
      refused.catch(() => {});
      const forbidding = {
        watch: () => ({ synced: refused, stop: () => refused }),
      } as unknown as KubeClient;
      const { redactor, log } = run;
      const none = watchSecrets({ kube: forbidding, namespace: 'n', redactor, log });
      await none.synced;
      await none.stop();
      expect(redactor.known.values).toEqual([]);

      await watchSecrets({ kube: tellingKube(), namespace: 'n', redactor, log }).synced;
      expect(redactor.redact(`it is ${SECRET}`)).toBe('it is •••');
    });
  });
});
