import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Clock, systemClock } from '../../core/deadline.ts';
import { InfrastructureError, InterruptedError, UsageError } from '../../core/errors.ts';
import { parseOptions } from '../plan/options.ts';
import { selectChecks, type Selection } from '../plan/select-checks.ts';
import type { Cluster } from '../../kube/cluster/cluster.ts';
import type { RunPlan } from '../plan/plan.ts';
import type { RunEvent } from '../report/events.ts';
import { report as reportSchema, type Report } from '../report/model.ts';
import type { SuiteDefinition } from '../suite/definition.ts';
import { fakeMachine, type FakeMachine } from '../../testing/fake-programs.ts';
import { smallSuites, type SmallSuites } from '../../testing/small-suite.ts';
import { htmlReporter } from '../report/html/html.ts';
import { jsonReporter } from '../report/json.ts';
import { junitReporter } from '../report/junit/junit.ts';
import { verdictOf } from '../report/verdict.ts';
import type { Reporter } from '../report/reporter.ts';
import type { RunCluster } from './ports.ts';
import { runTasks } from './run.ts';
import type { Task } from './task.ts';
import { listChecks } from './vitest-runner.ts';
import { checks } from './tasks/checks.ts';
import { createCluster, openExistingCluster, prepareCluster } from './tasks/cluster.ts';
import { loadImages, prepareAllImages } from './tasks/images.ts';
import { selection } from './tasks/selection.ts';
import { subjects } from './tasks/subjects.ts';

let suites: SmallSuites;
let declared: Selection['declared'];
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
  // Commands of the run may only find the fakes.
  for (const name of ['PATH', 'STATE']) vi.stubEnv(name, machine.env[name]);
  helm = await machine.program('helm', GOOD_HELM);
  await machine.program('docker', '[ "$1" != ps ] || echo c1');
  brokenHelm = await machine.program(
    'broken-helm',
    'echo "Error: template: app/templates/a.yaml:3:4: executing" >&2; exit 1',
  );
  await machine.file('chart/Chart.yaml', 'apiVersion: v2\nname: app\nversion: 0.1.0\n');
  const files = {
    good: `passes('T-01'); skips('T-02', 'the cluster lacks x');`,
    bad: `passes('T-01'); fails('T-02', '2 of 3 replicas');`,
    lost: `loses('T-01');`,
    errored: `passes('T-01'); errs('T-02', 'cannot pause container x');`,
    'errored-and-bad': `errs('T-01', 'cannot pause container x'); fails('T-02', '2 of 3 replicas');`,
    broken: `throw new Error('cannot be loaded');`,
    none: '',
    skipped: `skips('T-01', 'the cluster lacks x'); skips('T-02', 'the cluster lacks x');`,
    blocked: `blocks('T-01', 'blocked/T-02'); passes('T-02');`,
    // Only a run, not a list, has the ids of the checks to run.
    forgets: `passes('T-01'); if (!inject('kindproof').checks) passes('T-02');`,
    twice: `passes('T-01'); if (inject('kindproof').checks) passes('T-01'); else passes('T-02');`,
    unreadable: `passes('T-01'); check('T-02', ({ task }) => { ends(task, 'green'); });`,
    vacuous: `passes('T-01'); check('T-02', ({ task }) => {
      ends(task, 'passed'); task.meta.kindproof.outcome.result.assertions = 0; });`,
    'tells-secrets': `fails('T-01', 'the URL says ' + inject('kindproof').secrets.password);`,
    'learns-secrets': `
      import { writeFileSync } from 'node:fs';
      check('T-01', ({ task }) => {
        writeFileSync(inject('kindproof').runDirectory + '/early.log', 'the pod says l4te-secret');
        task.meta.kindproofSecrets = { values: [{ text: 'l4te-secret', key: 'token' }] };
        ends(task, 'failed', 'the pod says l4te-secret');
        throw new Error('the pod says l4te-secret');
      });`,
    hanging: `check('T-01', () => new Promise((resolve) => setTimeout(resolve, 30_000)));`,
    caught: `fault('f', ({ task }) => { proves(task, 'caught', 'T-01: red'); });`,
    missed: `fault('f', ({ task }) => {
      proves(task, 'missed', 'green'); throw new Error('green'); });`,
  };
  suites = await smallSuites(files);
  const loadable = Object.keys(files).filter((name) => name !== 'broken');
  declared = await listChecks({
    root: suites.root,
    projects: loadable.map((name) => ({ name, file: suites.file(name) })),
  });
});
afterAll(async () => {
  vi.unstubAllEnvs();
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

interface Fakes {
  preflight?: () => Promise<void>;
  tools?: () => Promise<void>;
  cluster?: Partial<RunCluster>;
}

const knownSelection: Task = {
  title: 'selection',
  setup(run) {
    const names = run.plan.suites.map(({ definition }) => definition.name);
    const own = declared.filter((check) => names.includes(check.suite));
    run.selection = selectChecks(run.plan, run.options, own);
    return Promise.resolve();
  },
};

async function trial(
  suite: string,
  settings: Fakes & {
    options?: string;
    /** Lists the checks with vitest, as a run does. Otherwise the suites are listed once for all tests. */
    listsChecks?: boolean;
    plan?: Partial<RunPlan>;
    anyChart?: boolean;
    faults?: string[];
    notProvable?: { fault: string; reason: string }[];
    environment?: SuiteDefinition['environment'];
    helm?: string;
    signal?: AbortSignal;
    onEvent?: (event: RunEvent) => void;
    clock?: Clock;
    reporters?: readonly Reporter[];
    references?: RunPlan['suites'][number]['references'];
  } = {},
): Promise<Trial> {
  const steps: string[] = [];
  const events: RunEvent[] = [];
  const seen = { closed: 0 };
  const directory = join(folder, 'run');
  await mkdir(directory, { recursive: true });
  const options = parseOptions((settings.options ?? '').split(' ').filter(Boolean), () => {});
  const plan: RunPlan = {
    runId: 'id',
    checks: true,
    rotation: 0,
    suites: [
      {
        definition: {
          name: suite,
          anyChart: settings.anyChart,
          subject: { releaseName: 'app', images: [] },
          environment: settings.environment,
          faults: [
            ...(settings.faults ?? []).map((name) => ({ name, requirements: ['T-01'] })),
            ...(settings.notProvable ?? []).map(({ fault, reason }) => ({
              name: fault,
              requirements: ['T-01'],
              standIn: { part: 'app', reason },
            })),
          ],
        } as unknown as SuiteDefinition,
        subject: {
          chart: join(machine.folder, 'chart'),
          values: [],
          set: [],
          patches: [],
          reference: true,
          images: [],
        },
        references: settings.references ?? {},
        select: undefined,
        advice: [],
        faults: settings.faults ?? [],
        notProvable: settings.notProvable ?? [],
      },
    ],
    ...settings.plan,
  };
  const preflight: Task = {
    title: 'preflight',
    setup: () => settings.preflight?.() ?? Promise.resolve(void steps.push('preflight')),
  };
  const tools: Task = {
    title: 'tools',
    async setup(run) {
      await settings.tools?.();
      steps.push('tools');
      run.tools = { helm: settings.helm ?? helm };
    },
  };
  const exitCode = await runTasks(
    {
      options: options!,
      plan,
      directory,
      signal: settings.signal ?? new AbortController().signal,
      clock: settings.clock,
      project: {
        root: suites.root,
        cacheDirectory: folder,
        commandLine: 'npm run e2e -- --suite x',
        checksFile: suites.file(suite),
        proofsFile: suites.file(suite),
        probeImages: [],
        earlierRuns: () => ({
          leftovers: () => Promise.resolve([]),
          removeLeftovers: () => Promise.resolve(),
        }),
        confirm: () => Promise.resolve(false),
        requirementRows: () => Promise.resolve([]),
      },
      cluster: fakeCluster(options!.cluster === 'existing', steps, settings.cluster),
      reporters: [
        jsonReporter,
        junitReporter,
        htmlReporter,
        ...(settings.reporters ?? []),
        {
          name: 'events',
          onEvent: (event) => {
            events.push(event);
            settings.onEvent?.(event);
          },
          close: () => (seen.closed += 1),
        },
      ],
    },
    [
      settings.listsChecks ? selection : knownSelection,
      openExistingCluster,
      preflight,
      [[prepareCluster], [tools, subjects]],
      [[createCluster], [prepareAllImages]],
      loadImages,
      checks,
    ],
  );
  const ended = events.filter((e) => e.type === 'run-ended');
  expect(ended).toHaveLength(1);
  return { exitCode, report: ended[0]!.report, events, steps, closed: seen.closed };
}

function fakeCluster(isExisting: boolean, steps: string[], fakes: Partial<RunCluster> = {}): RunCluster {
  return {
    isExisting,
    kubernetesVersion: () => Promise.resolve('v1.36.3'),
    preflightNeed: () => Promise.resolve({ cluster: 'kind', nodes: 1, buildNodeImage: false }),
    prepare: () => Promise.resolve(),
    open: () => {
      steps.push('cluster created');
      return Promise.resolve({
        provider: 'kind',
        name: 'kp-id',
        context: 'kind-kp-id',
        kubeconfig: join(folder, 'kubeconfig'),
        kubernetes: 'v1.36.3',
        describe: () => Promise.resolve([]),
        loadImages: () => Promise.resolve(),
      } as unknown as Cluster);
    },
    close: () => Promise.resolve(void steps.push('cluster deleted')),
    leftovers: () => Promise.resolve([]),
    ...fakes,
  };
}

/** A further reference subject that faults of the plan are injected into. */
async function withStore() {
  await machine.file('store/Chart.yaml', 'apiVersion: v2\nname: store\nversion: 1.0.0\n');
  const chart = join(machine.folder, 'store');
  const subject = { chart, values: [], set: [], patches: [], images: [] };
  return { store: { ...subject, reference: true, referenceName: 'store' } };
}

const readReport = async () =>
  reportSchema.parse(JSON.parse(await readFile(join(folder, 'run', 'report.json'), 'utf8')));
const notices = (t: Trial) => t.events.flatMap((e) => (e.type === 'notice' ? [e.text] : []));
const DONE = ['preflight', 'tools', 'cluster created', 'cluster deleted'];

describe('the nodes that a chart asks for', () => {
  const given = [{ what: '3 workers', why: 'host port 80 of Deployment web' }];
  const missing = [{ what: 'resource amd.com/gpu', why: 'resources of Deployment web' }];
  const asked: string[] = [];
  const cluster: Partial<RunCluster> = {
    provide: (suite, objects, { namespace }) => {
      asked.push(`${suite}: ${objects.map(({ kind }) => kind).join(', ')} in ${namespace}`);
      return { given, missing };
    },
  };
  beforeEach(() => {
    asked.length = 0;
  });

  it('are provided for what was rendered, and reported', async () => {
    const t = await trial('good', { cluster, anyChart: true });
    expect(asked).toEqual(['good: ConfigMap in default']);
    expect((await readReport()).cluster?.provided).toEqual({ given, missing });
    expect(notices(t)).toEqual([
      'provided for the chart: 3 workers (host port 80 of Deployment web)',
      'not provided for the chart: resource amd.com/gpu (resources of Deployment web)',
    ]);
    expect(await readFile(join(folder, 'run', 'report.html'), 'utf8')).toContain(
      '3 workers (host port 80 of Deployment web)',
    );
  });

  it('are provided at once for the subject and further reference subjects', async () => {
    await trial('good', { cluster, anyChart: true, references: await withStore() });
    expect(asked).toEqual(['good: ConfigMap, ConfigMap in default']);
  });

  it.each([
    ['a suite with nodes of its own', { cluster }],
    ['a cluster that follows from no chart', { anyChart: true }],
  ])('are not asked for by %s', async (_, settings) => {
    const t = await trial('good', settings);
    expect([asked, notices(t)]).toEqual([[], []]);
    expect((await readReport()).cluster?.provided).toBeUndefined();
  });
});

describe('the storage classes that subjects name', () => {
  it('are provided for every suite, and reported', async () => {
    const given = [{ what: 'StorageClass gp3', why: 'PersistentVolumeClaim data' }];
    const asked: string[][] = [];
    const cluster: Partial<RunCluster> = {
      provideStorage: (objects) => {
        asked.push(objects.map(({ kind }) => kind));
        return { given, missing: [] };
      },
    };
    const t = await trial('good', { cluster, references: await withStore() });
    expect(asked).toEqual([['ConfigMap', 'ConfigMap']]);
    expect(notices(t)).toEqual(['provided for the chart: StorageClass gp3 (PersistentVolumeClaim data)']);
    expect((await readReport()).cluster?.provided).toEqual({ given, missing: [] });
  });
});

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
    ['skipped', {}, 3, 'no verdict: no check of suite skipped ran: all 2 were skipped'],
    ['blocked', {}, 3, 'blocked/T-01 is blocked by blocked/T-02, which reports no failure'],
    ['forgets', {}, 3, 'what was planned and what was reported differ: forgets/T-02 has no result'],
    ['twice', {}, 3, 'twice/T-02 has no result; twice/T-01 was reported 2 times: passed, passed'],
    [
      'unreadable',
      {},
      3,
      /^no verdict: not all checks could run: the record of "T-02" in unreadable cannot be read/,
    ],
    ['vacuous', {}, 3, /a check cannot pass without an assertion/],
    ['lost', {}, 3, 'no verdict: the cluster is gone'],
    ['errored', {}, 3, 'no verdict: 1 check could not run, first errored/T-02: cannot pause container x'],
    ['errored-and-bad', {}, 1, '1 of 2 checks failed, 1 errored'],
  ])('%s %o: %i', async (suite, settings, exitCode, verdict) => {
    const run = await trial(suite, settings);
    expect(run.exitCode).toBe(exitCode);
    expect(run.report.run.verdict).toMatch(verdict);
    expect(run.steps).toEqual(DONE);
    expect(run.closed).toBe(1);
    expect(await readReport()).toMatchObject({ run: { exitCode, verdict: run.report.run.verdict } });
    expect(verdictOf(await readReport())).toMatchObject({ exitCode, text: run.report.run.verdict });
  });

  it('of --strict says that the skip is the failure', async () => {
    const { report } = await trial('good', { options: '--strict' });
    expect(report.checks.find((c) => c.id === 'good/T-02')).toMatchObject({
      status: 'failed',
      reason: 'skipped, and --strict allows no skips: the cluster lacks x',
    });
  });

  it.each<[string, Fakes, number, string]>([
    [
      'preflight fails',
      { preflight: () => Promise.reject(new InfrastructureError('E_PREFLIGHT', 'no engine')) },
      3,
      'E_PREFLIGHT',
    ],
    ['a task has a bug', { tools: () => Promise.reject(new TypeError('a bug')) }, 3, 'E_UNEXPECTED'],
    [
      'no cluster can be created',
      { cluster: { open: () => Promise.reject(new InfrastructureError('E_CREATE', 'no node came up')) } },
      3,
      'E_CREATE',
    ],
    [
      'there is no such version of Kubernetes',
      { cluster: { prepare: () => Promise.reject(new UsageError('E_KUBERNETES_VERSION', 'no 1.2')) } },
      2,
      'E_KUBERNETES_VERSION',
    ],
  ])('when %s', async (_, fakes, exitCode, code) => {
    const run = await trial('good', fakes);
    expect(run.exitCode).toBe(exitCode);
    expect((await readReport()).run).toMatchObject({ exitCode, error: { code } });
    expect(run.report.phases.at(-1)).toMatchObject({ name: 'take down', status: 'passed' });
    expect(run.closed).toBe(1);
  });
});

describe('wrong usage', () => {
  it.each([
    ['none', '', 'E_NOTHING_SELECTED'],
    ['none', '--shard 1/2', 'E_NOTHING_SELECTED'],
    ['good', '--tags disruptive', 'E_NOTHING_SELECTED'],
    ['good', '--requirement T-01 T-13', 'E_NO_CHECKS'],
  ])('of suite %s with %s is found before anything is created', async (suite, options, code) => {
    const run = await trial(suite, { options, listsChecks: true });
    expect(run.exitCode).toBe(2);
    expect(run.report.run.error?.code).toBe(code);
    expect(run.steps).toEqual([]);
  });

  it('does not include a suite that cannot be loaded, which is also found before anything is created', async () => {
    const run = await trial('broken', { listsChecks: true });
    expect(run.exitCode).toBe(3);
    expect(run.report.run.verdict).toContain('broken/checks.e2e.mjs: cannot be loaded');
    expect(run.steps).toEqual([]);
  });

  it('of a chart is reported before a cluster is created', async () => {
    const run = await trial('good', { helm: brokenHelm });
    expect(run.exitCode).toBe(2);
    expect(run.report.run.error?.message).toContain('a.yaml');
    expect(run.steps).toEqual(['preflight', 'tools']);
  });

  it('of a chart does not wait for the node image', async () => {
    let aborted = false;
    const prepare: RunCluster['prepare'] = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(new InterruptedError());
        });
      });
    const run = await trial('good', { helm: brokenHelm, cluster: { prepare } });
    expect(run.exitCode).toBe(2);
    expect(aborted).toBe(true);
  });

  it('of an existing cluster is reported before anything else happens', async () => {
    const error = new UsageError('E_CLUSTER_UNREACHABLE', 'it does not answer');
    const run = await trial('good', {
      options: '--cluster existing --kubeconfig f --context c',
      cluster: { open: () => Promise.reject(error) },
    });
    expect(run.exitCode).toBe(2);
    expect(run.steps).toEqual(['cluster deleted']);
  });

  it('opens an existing cluster once, first', async () => {
    const run = await trial('good', { options: '--cluster existing --kubeconfig f --context c' });
    expect(run.exitCode).toBe(0);
    expect(run.steps).toEqual(['cluster created', 'preflight', 'tools', 'cluster deleted']);
  });
});

describe('taking down', () => {
  it('also happens after half a cluster was created', async () => {
    const steps: string[] = [];
    const run = await trial('good', {
      cluster: {
        open: () => Promise.reject(new InfrastructureError('E_CREATE', 'half of it')),
        close: () => Promise.resolve(void steps.push('cluster deleted')),
      },
    });
    expect(run.exitCode).toBe(3);
    expect(steps).toEqual(['cluster deleted']);
  });

  it('happens after an interruption, which is reported with its reason', async () => {
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

  it('happens after the time limit, which says what was running', async () => {
    const controller = new AbortController();
    const limit = new InfrastructureError('E_TIME_LIMIT', 'the run did not end within 90 min 00 s', {
      hint: 'Raise it.',
    });
    const run = await trial('hanging', {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'check-started') controller.abort(new InterruptedError(limit.message, limit));
      },
    });
    const message = 'the run did not end within 90 min 00 s; running: checks (hanging/T-01)';
    expect(run.exitCode).toBe(3);
    expect(run.steps).toEqual(DONE);
    expect(notices(run)).toContain(`${message}: taking down`);
    expect((await readReport()).run).toMatchObject({
      exitCode: 3,
      verdict: `no verdict: ${message}`,
      error: { code: 'E_TIME_LIMIT', message, hint: 'Raise it.' },
    });
  });

  it('happens after an interruption even if a task never ends', async () => {
    const controller = new AbortController();
    // What was lost is not waited for; the teardown has its real time limits.
    let isFirst = true;
    const clock: Clock = {
      now: () => (isFirst ? 0 : Date.now()),
      sleep: (ms, signal) => {
        if (!isFirst) return systemClock.sleep(ms, signal);
        isFirst = false;
        return Promise.resolve();
      },
    };
    const run = await trial('good', {
      signal: controller.signal,
      clock,
      cluster: {
        open: () => {
          controller.abort(new InterruptedError('interrupted by SIGINT'));
          return new Promise(() => {});
        },
      },
    });
    expect(run.exitCode).toBe(130);
    expect(run.steps).toEqual(['preflight', 'tools', 'cluster deleted']);
    expect(notices(run)).toContainEqual(expect.stringMatching(/^cluster.*: still not ended 5 min 00 s/));
  });

  it('starts no check after an interruption during the creation of the cluster', async () => {
    const controller = new AbortController();
    const run = await trial('good', {
      signal: controller.signal,
      cluster: {
        open: () => {
          controller.abort();
          return Promise.reject(new InterruptedError());
        },
      },
    });
    expect(run.exitCode).toBe(130);
    expect(run.report.checks).toEqual([]);
  });

  it('goes on after a failure, and keeps the verdict, but not an exit code of 0', async () => {
    const run = await trial('good', {
      environment,
      cluster: {
        close: () => Promise.reject(new Error('forbidden')),
        leftovers: () => Promise.resolve(['namespace kp-id']),
      },
    });
    expect(run.exitCode).toBe(3);
    expect(run.report.run.verdict).toBe('passed, but not everything was removed');
    expect(notices(run)).toContain('failed to take down cluster: forbidden');
    expect((await readReport()).leftovers).toEqual([
      'failed to take down cluster: forbidden',
      'namespace kp-id',
    ]);
  });

  it('needs no log: it happens on a full disk, too', async () => {
    await mkdir(join(folder, 'run'));
    // Every write to it fails with ENOSPC.
    await symlink('/dev/full', join(folder, 'run', 'run.jsonl'));
    await mkdir(join(folder, 'run', 'report.json', 'occupied'), { recursive: true });
    const run = await trial('good');
    expect(run.steps).toEqual(DONE);
    expect(run.exitCode).toBe(3);
    expect(run.report.run.error).toMatchObject({ code: 'E_REPORT_WRITE' });
  });

  it('looks for leftovers on a kept cluster, too', async () => {
    const left = ['ClusterRole a: you may not'];
    const run = await trial('good', {
      options: '--reuse',
      cluster: { leftovers: () => Promise.resolve(left) },
    });
    expect(run.report.leftovers).toEqual(left);
  });

  it('looks for no leftovers without an engine', async () => {
    const run = await trial('good', {
      preflight: () => Promise.reject(new InfrastructureError('E_PREFLIGHT', 'no engine')),
      cluster: { leftovers: () => Promise.reject(new Error('no engine')) },
    });
    expect(run.exitCode).toBe(3);
    expect(notices(run)).toEqual([]);
  });

  it('does not change the exit code of a failed run', async () => {
    const run = await trial('bad', { cluster: { leftovers: () => Promise.resolve(['container kp-id']) } });
    expect(run.exitCode).toBe(1);
    expect(run.report.run.verdict).toBe('1 of 2 checks failed');
  });

  it('is not clean when leftovers cannot be listed', async () => {
    const run = await trial('good', { cluster: { leftovers: () => Promise.reject(new Error('no engine')) } });
    expect(run.exitCode).toBe(3);
    expect(run.report.leftovers).toEqual(['failed to look for leftovers: no engine']);
    expect(notices(run)).toContain('failed to look for leftovers: no engine');
  });
});

const environment = {
  title: 'a database',
  images: [],
  secrets: ['password'],
  open: () => Promise.reject(new Error('opened by the checks')),
};

describe('a suite with programs outside the cluster', () => {
  it('has them removed in the end, and its secrets written nowhere', async () => {
    const run = await trial('tells-secrets', { environment });
    expect(run.exitCode).toBe(1);
    expect((await machine.calls()).slice(-2)).toEqual([
      'docker ps --all --quiet --filter label=kindproof.dev/run=id --filter label=kindproof.dev/service',
      'docker rm --force --volumes c1',
    ]);
    const written = await Promise.all(
      ['report.json', 'report.html', 'junit.xml', 'run.jsonl'].map((f) =>
        readFile(join(folder, 'run', f), 'utf8'),
      ),
    );
    for (const text of [...written, JSON.stringify(run.events)]) expect(text).not.toMatch(/kpCanary/);
    expect((await readReport()).checks[0]?.reason).toBe('the URL says •••');
  });

  it('redacts what the worker learned, also in files that were written before', async () => {
    const run = await trial('learns-secrets');
    expect((await readReport()).checks[0]?.reason).toBe('the pod says •••');
    expect(JSON.stringify(run.events)).not.toContain('l4te-secret');
    expect(await readFile(join(folder, 'run', 'early.log'), 'utf8')).toBe('the pod says •••');
  });

  it('looks for none where the suite has none', async () => {
    const calls = async () => (await machine.calls()).filter((call) => call.startsWith('docker'));
    const before = await calls();
    await trial('good');
    expect(await calls()).toEqual(before);
  });
});

describe('the report', () => {
  it('has the phases in their order', async () => {
    const { report } = await trial('good');
    const names = report.phases.map((p) => p.name);
    expect(names.toSorted()).toEqual(
      [
        'selection',
        'preflight',
        'node image',
        'tools',
        'subject',
        'images',
        'cluster',
        'load images',
        'checks',
        'take down',
      ].toSorted(),
    );
    expect(names.slice(0, 2)).toEqual(['selection', 'preflight']);
    expect(names.indexOf('subject')).toBeGreaterThan(names.indexOf('tools'));
    expect(names.slice(-3)).toEqual(['load images', 'checks', 'take down']);
  });

  it('has a short command that runs a failed check again', async () => {
    const { events } = await trial('bad', { options: '--chart ./c --set a=1' });
    const ended = events.find((e) => e.type === 'check-ended' && e.check.status === 'failed');
    expect(ended).toMatchObject({
      rerun: 'npm run e2e -- --requirement T-02 --rerun id --reuse',
    });
  });

  it('is required: a run that cannot write it has no verdict, and the other reports say so', async () => {
    await mkdir(join(folder, 'run', 'report.json', 'occupied'), { recursive: true });
    const run = await trial('good');
    expect(run.exitCode).toBe(3);
    expect(run.report.run.error).toMatchObject({ code: 'E_REPORT_WRITE' });
    expect(await readFile(join(folder, 'run', 'junit.xml'), 'utf8')).toContain('E_REPORT_WRITE');
    expect(run.closed).toBe(1);
  });

  it('does not stay as it was when it cannot be written again after another report failed', async () => {
    const file = join(folder, 'run', 'report.json');
    const fails: Reporter = {
      name: 'fails',
      async write() {
        expect((await readReport()).run.exitCode).toBe(0);
        // From now on the disk is full: the temporary file cannot be written.
        await mkdir(`${file}.${process.pid}.tmp`, { recursive: true });
        throw new Error('no space left on device');
      },
    };
    const run = await trial('good', { reporters: [fails] });
    expect(run.exitCode).toBe(3);
    await expect(readFile(file, 'utf8')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('lists the faults that are not provable, and does not count them', async () => {
    const notProvable = [{ fault: 'g', reason: 'the image is not the stand-in' }];
    const run = await trial('caught', {
      options: '--prove',
      plan: { checks: false },
      faults: ['f'],
      notProvable,
    });
    expect(run.exitCode).toBe(0);
    expect(run.report.proofs?.map(({ fault, outcome, reason }) => [fault, outcome, reason])).toContainEqual([
      'g',
      'not-provable',
      'the image is not the stand-in',
    ]);
    expect(notices(run)).toContain(
      'faults of caught not provable here, because the image is not the stand-in: g',
    );
  });

  it('warns of files that links bring into the chart', async () => {
    const link = join(machine.folder, 'chart', 'values.yaml');
    await machine.file('shared/values.yaml', 'a: 1\\n');
    await symlink(join(machine.folder, 'shared', 'values.yaml'), link);
    const run = await trial('good').finally(() => rm(link));
    expect(notices(run)).toContain(
      `1 file of chart ${join(machine.folder, 'chart')} came through links from outside of it, first values.yaml`,
    );
    expect(run.report.subjects[0]?.digest?.chart.outside).toEqual(['values.yaml']);
  });

  it('has the digests of what was tested, not of what the files are now', async () => {
    const { report } = await trial('good');
    expect(report.subjects[0]?.digest?.chart.files.map(({ path }) => path)).toEqual(['Chart.yaml']);
    expect(report.subjects[0]?.chart).toBe(join(machine.folder, 'chart'));
    await expect(readFile(join(folder, 'run', '.subject', 'good'), 'utf8')).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });

  it('copies and renders a further reference subject beside the subject, and reports it', async () => {
    const references = await withStore();
    const { chart } = references.store;
    const { report } = await trial('good', { references });
    expect(report.subjects.map((s) => [s.suite, s.reference, s.chart])).toEqual([
      ['good', undefined, join(machine.folder, 'chart')],
      ['good', 'store', chart],
    ]);
  });

  it('survives a reporter that throws', async () => {
    const broken = {
      name: 'broken',
      onEvent: () => {
        throw new Error('a bug');
      },
    };
    const run = await trial('good', { reporters: [broken] });
    expect(run.exitCode).toBe(0);
    expect(notices(run)).toEqual(['the broken reporter failed and shows nothing more: a bug']);
  });
});
