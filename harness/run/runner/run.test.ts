import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InfrastructureError, InterruptedError, UsageError } from '../../core/errors.ts';
import { parseOptions } from '../plan/options.ts';
import type { Cluster } from '../../kube/cluster/cluster.ts';
import type { RunPlan } from '../plan/plan.ts';
import type { RunEvent } from '../report/events.ts';
import { report as reportSchema, type Report } from '../report/model.ts';
import type { SuiteDefinition } from '../suite/definition.ts';
import { fakeMachine, type FakeMachine } from '../../testing/fake-programs.ts';
import { smallSuites, type SmallSuites } from '../../testing/small-suite.ts';
import type { RunPorts, StepDeps } from './ports.ts';
import { executeRun } from './run.ts';

let suites: SmallSuites;
let machine: FakeMachine;
let helm: string;
let brokenHelm: string;
let folder: string;

const GOOD_HELM = `
case "$1" in
  template) printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: c\\n' ;;
  lint) echo "==> Linting chart" ;;
esac`;

beforeAll(async () => {
  machine = await fakeMachine();
  helm = await machine.program('helm', GOOD_HELM);
  brokenHelm = await machine.program(
    'broken-helm',
    'echo "Error: template: app/templates/a.yaml:3:4: executing" >&2; exit 1',
  );
  await machine.file('chart/Chart.yaml', 'apiVersion: v2\nname: app\nversion: 0.1.0\n');
  suites = await smallSuites({
    good: `passes('T-01'); skips('T-02', 'the cluster lacks x');`,
    bad: `passes('T-01'); fails('T-02', '2 of 3 replicas');`,
    lost: `loses('T-01');`,
    errored: `passes('T-01'); errs('T-02', 'cannot pause container x');`,
    'errored-and-bad': `errs('T-01', 'cannot pause container x'); fails('T-02', '2 of 3 replicas');`,
    broken: `throw new Error('cannot be loaded');`,
    none: '',
    'tells-secrets': `fails('T-01', 'the URL says ' + inject('kindproof').secrets.password);`,
    hanging: `check('T-01', () => new Promise((resolve) => setTimeout(resolve, 30_000)));`,
    caught: `fault('f', ({ task }) => { task.meta.kindproofProof = proof('f', 'caught', 'T-01: red'); });`,
    missed: `fault('f', ({ task }) => {
      task.meta.kindproofProof = proof('f', 'missed', 'green'); throw new Error('green'); });`,
  });
});
afterAll(async () => {
  await suites.dispose();
  await machine.dispose();
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kp-unit-run-'));
  return () => rm(folder, { recursive: true });
});

interface Trial {
  exitCode: number;
  report: Report;
  events: RunEvent[];
  /** What was done, in order. */
  steps: string[];
  closed: number;
}

async function trial(
  suite: string,
  settings: {
    options?: string;
    ports?: Partial<RunPorts>;
    plan?: Partial<RunPlan>;
    faults?: string[];
    environment?: SuiteDefinition['environment'];
    helm?: string;
    signal?: AbortSignal;
    onEvent?: (event: RunEvent) => void;
  } = {},
): Promise<Trial> {
  const steps: string[] = [];
  const events: RunEvent[] = [];
  const seen = { closed: 0 };
  const runDirectory = join(folder, 'run');
  await mkdir(runDirectory, { recursive: true });
  const options = parseOptions((settings.options ?? '').split(' ').filter(Boolean), () => {});
  const ports: RunPorts = {
    projectRoot: suites.root,
    observers: [
      {
        onEvent: (event) => {
          events.push(event);
          settings.onEvent?.(event);
        },
        close: () => (seen.closed += 1),
      },
    ],
    preflight: () => Promise.resolve(void steps.push('preflight')),
    tools: () => {
      steps.push('tools');
      return Promise.resolve({ helm: settings.helm ?? helm, versions: { helm: 'v3' } });
    },
    kubernetesVersion: () => Promise.resolve('v1.36.3'),
    openCluster: (deps) => Promise.resolve(openCluster(deps, steps)),
    leftovers: () => Promise.resolve([]),
    removeServices: ({ lifecycle }) => {
      lifecycle.defer('remove services', () => void steps.push('services removed'));
    },
    probeImages: [],
    checksFile: suites.file(suite),
    proveFile: suites.file(suite),
    requirementRows: () => Promise.resolve([]),
    commandLine: 'npm run e2e -- --suite x',
    ...settings.ports,
  };
  const plan: RunPlan = {
    runId: 'id',
    checks: true,
    suites: [
      {
        definition: {
          name: suite,
          subject: { releaseName: 'app', images: [] },
          environment: settings.environment,
        } as unknown as SuiteDefinition,
        subject: {
          chart: join(machine.folder, 'chart'),
          values: [],
          set: [],
          patches: [],
          reference: true,
          images: [],
        },
        select: undefined,
        faults: settings.faults ?? [],
      },
    ],
    ...settings.plan,
  };
  const exitCode = await executeRun({
    options: options!,
    plan,
    ports,
    runDirectory,
    signal: settings.signal ?? new AbortController().signal,
  });
  const ended = events.filter((e) => e.type === 'run-ended');
  expect(ended).toHaveLength(1);
  return { exitCode, report: ended[0]!.report, events, steps, closed: seen.closed };
}

/** Registers its removal before it "creates" the cluster, as the real one does. */
function openCluster({ lifecycle }: StepDeps, steps: string[]): Cluster {
  lifecycle.defer('delete cluster kp-id', () => void steps.push('cluster deleted'));
  steps.push('cluster created');
  return {
    provider: 'kind',
    name: 'kp-id',
    context: 'kind-kp-id',
    kubeconfig: join(folder, 'kubeconfig'),
    kubernetes: 'v1.36.3',
    describe: () => Promise.resolve([]),
    loadImages: () => Promise.resolve(),
  } as unknown as Cluster;
}

const readReport = async () =>
  reportSchema.parse(JSON.parse(await readFile(join(folder, 'run', 'report.json'), 'utf8')));
const notices = (t: Trial) => t.events.flatMap((e) => (e.type === 'notice' ? [e.text] : []));
const DONE = ['preflight', 'tools', 'cluster created', 'cluster deleted'];

describe('the exit code', () => {
  it.each([
    ['good', {}, 0, 'passed'],
    ['good', { options: '--strict' }, 1, '1 of 2 checks failed'],
    ['bad', {}, 1, '1 of 2 checks failed'],
    ['caught', { options: '--prove', plan: { checks: false }, faults: ['f'] }, 0, 'every fault was caught'],
    [
      'missed',
      { options: '--prove', plan: { checks: false }, faults: ['f'] },
      1,
      '1 of 1 faults were not caught',
    ],
    ['none', {}, 1, 'no verdict: no check was run: the selection is empty'],
    ['lost', {}, 3, 'no verdict: the cluster is gone'],
    ['errored', {}, 3, 'no verdict: 1 check could not be made, first errored/T-02: cannot pause container x'],
    ['errored-and-bad', {}, 1, '2 of 2 checks failed'],
    [
      'broken',
      {},
      3,
      /^no verdict: the checks could not all be run: broken\/checks\.e2e\.mjs: cannot be loaded/,
    ],
  ])('%s %o: %i', async (suite, settings, exitCode, verdict) => {
    const run = await trial(suite, settings);
    expect(run.exitCode).toBe(exitCode);
    expect(run.report.run.verdict).toMatch(verdict);
    expect(run.steps).toEqual(DONE);
    expect(run.closed).toBe(1);
    expect(await readReport()).toMatchObject({ run: { exitCode, verdict: run.report.run.verdict } });
  });

  it('of --strict says that the skip is the failure', async () => {
    const { report } = await trial('good', { options: '--strict' });
    expect(report.checks.find((c) => c.id === 'good/T-02')).toMatchObject({
      status: 'failed',
      reason: 'skipped, and --strict allows no skips: the cluster lacks x',
    });
  });

  it.each([
    [
      'preflight',
      new InfrastructureError('E_PREFLIGHT', 'no engine', { hint: 'start it' }),
      3,
      'E_PREFLIGHT',
    ],
    ['tools', new TypeError('a bug'), 3, 'E_UNEXPECTED'],
    ['openCluster', new InfrastructureError('E_CREATE', 'no node came up'), 3, 'E_CREATE'],
    ['openCluster', new UsageError('E_KUBERNETES_VERSION', 'there is no 1.2'), 2, 'E_KUBERNETES_VERSION'],
  ])('when %s fails with %s: %i', async (port, error, exitCode, code) => {
    const run = await trial('good', { ports: { [port]: () => Promise.reject(error) } });
    expect(run.exitCode).toBe(exitCode);
    expect((await readReport()).run).toMatchObject({ exitCode, error: { code, message: error.message } });
    expect(run.report.phases.at(-1)).toMatchObject({ name: 'take down', status: 'passed' });
    expect(run.closed).toBe(1);
  });
});

describe('what the user got wrong', () => {
  it('is found out about the chart before there is a cluster', async () => {
    const run = await trial('good', { helm: brokenHelm });
    expect(run.exitCode).toBe(2);
    expect(run.report.run.error?.message).toContain('a.yaml');
    expect(run.steps).toEqual(['preflight', 'tools']);
  });

  it('is found out about an existing cluster before anything else is done', async () => {
    const error = new UsageError('E_CLUSTER_UNREACHABLE', 'it does not answer');
    const run = await trial('good', {
      options: '--cluster existing --kubeconfig f --context c',
      ports: { openCluster: () => Promise.reject(error) },
    });
    expect(run.exitCode).toBe(2);
    expect(run.steps).toEqual([]);
  });

  it('opens an existing cluster once, first', async () => {
    const run = await trial('good', { options: '--cluster existing --kubeconfig f --context c' });
    expect(run.exitCode).toBe(0);
    expect(run.steps).toEqual(['cluster created', 'preflight', 'tools', 'cluster deleted']);
  });
});

describe('taking down', () => {
  it('happens after half a cluster, too', async () => {
    const steps: string[] = [];
    const run = await trial('good', {
      ports: {
        openCluster: ({ lifecycle }) => {
          lifecycle.defer('delete cluster kp-id', () => void steps.push('cluster deleted'));
          return Promise.reject(new InfrastructureError('E_CREATE', 'half of it'));
        },
      },
    });
    expect(run.exitCode).toBe(3);
    expect(steps).toEqual(['cluster deleted']);
  });

  it('happens after an interruption, which is told with its reason', async () => {
    const controller = new AbortController();
    const run = await trial('hanging', {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'check-started') controller.abort(new InterruptedError('interrupted by SIGINT'));
      },
    });
    expect(run.exitCode).toBe(130);
    expect(run.steps).toEqual(DONE);
    expect((await readReport()).run).toMatchObject({
      exitCode: 130,
      verdict: 'interrupted',
      error: { code: 'E_INTERRUPTED', message: 'interrupted by SIGINT' },
    });
    expect(run.report.checks).toEqual([]);
    expect(run.events).toContainEqual(
      expect.objectContaining({
        type: 'notice',
        text: expect.stringMatching(/^interrupted: taking down/) as string,
      }),
    );
  });

  it('starts no check when the interruption came while the cluster was made', async () => {
    const controller = new AbortController();
    const run = await trial('good', {
      signal: controller.signal,
      ports: {
        openCluster: (deps) => {
          controller.abort();
          return Promise.resolve(openCluster(deps, []));
        },
      },
    });
    expect(run.exitCode).toBe(130);
    expect(run.report.checks).toEqual([]);
  });

  it('goes on after a step that fails, says which, and leaves the verdict alone', async () => {
    const steps: string[] = [];
    const run = await trial('good', {
      ports: {
        openCluster: (deps) => {
          const cluster = openCluster(deps, steps);
          deps.lifecycle.defer('delete the namespaces', () => Promise.reject(new Error('forbidden')));
          return Promise.resolve(cluster);
        },
        leftovers: () => Promise.resolve(['namespace kp-id']),
      },
    });
    expect(run.exitCode).toBe(0);
    expect(notices(run)).toContain('could not delete the namespaces: forbidden');
    expect(steps).toContain('cluster deleted');
    expect((await readReport()).leftovers).toEqual(['namespace kp-id']);
  });

  it('asks nobody for leftovers when there was no engine to begin with', async () => {
    const run = await trial('good', {
      ports: {
        preflight: () => Promise.reject(new InfrastructureError('E_PREFLIGHT', 'no engine')),
        leftovers: () => Promise.reject(new Error('no engine')),
      },
    });
    expect(run.exitCode).toBe(3);
    expect(notices(run)).toEqual([]);
  });

  it('does not fail because nobody can tell what is left over', async () => {
    const run = await trial('good', { ports: { leftovers: () => Promise.reject(new Error('no engine')) } });
    expect(run.exitCode).toBe(0);
    expect(notices(run)).toContain('taking down failed: no engine');
  });
});

describe('a suite with programs beside the cluster', () => {
  const environment = {
    title: 'a database',
    images: [],
    secrets: ['password'],
    open: () => Promise.reject(new Error('opened by the checks')),
  };

  it('has them removed in the end, and its secrets written nowhere', async () => {
    const run = await trial('tells-secrets', { environment });
    expect(run.exitCode).toBe(1);
    expect(run.steps.slice(-2)).toEqual(['services removed', 'cluster deleted']);
    const written = await Promise.all(
      ['report.json', 'report.html', 'junit.xml', 'run.jsonl'].map((f) =>
        readFile(join(folder, 'run', f), 'utf8'),
      ),
    );
    for (const text of [...written, JSON.stringify(run.events)]) expect(text).not.toMatch(/kpCanary/);
    expect((await readReport()).checks[0]?.reason).toBe('the URL says •••');
  });

  it('does not look for any where there are none', async () => {
    expect((await trial('good')).steps).not.toContain('services removed');
  });
});

describe('the report', () => {
  it('has the phases in their order', async () => {
    const { report } = await trial('good');
    expect(report.phases.map((p) => p.name)).toEqual(
      expect.arrayContaining([
        'preflight',
        'tools',
        'subject',
        'cluster',
        'images',
        'load images',
        'checks',
        'take down',
      ]),
    );
    expect(report.phases.at(-1)?.name).toBe('take down');
  });

  it('tells how to run a failed check again', async () => {
    const { events } = await trial('bad', { options: '--chart ./c --set a=1' });
    const ended = events.find((e) => e.type === 'check-ended' && e.check.status === 'failed');
    expect(ended).toMatchObject({
      rerun: "npm run e2e -- --requirement T-02 --chart ./c --set 'a=1' --reuse",
    });
  });

  it('is what makes a run pass: without it the run has failed', async () => {
    await mkdir(join(folder, 'run', 'report.json', 'occupied'), { recursive: true });
    const run = await trial('good');
    expect(run.exitCode).toBe(3);
    expect(run.report.run.error).toMatchObject({ code: 'E_REPORT_WRITE' });
    expect(run.closed).toBe(1);
  });
});
