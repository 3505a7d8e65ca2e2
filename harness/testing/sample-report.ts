/** A realistic report for the tests of the reporters: passed, failed and skipped checks, proofs, timelines. */
import type { CheckResult, PodTimeline, Proof, Report } from '../run/report/model.ts';

const start = Date.parse('2026-03-02T21:04:10.000Z');
const iso = (afterMs: number) => new Date(start + afterMs).toISOString();
const sharedNamespace = 'kp-1a2b-toolman';

export function sampleCheck(overrides: Partial<CheckResult> = {}): CheckResult {
  return {
    id: 'toolman/T-35',
    suite: 'toolman',
    file: 'suites/toolman/placement.e2e.ts',
    title: 'spreads its replicas over the nodes',
    requirements: ['T-35'],
    status: 'passed',
    durationMs: 310,
    assertions: 3,
    observed: ['3 pods on 3 nodes: kp-worker, kp-worker2, kp-worker3 (skew 0)'],
    startedAt: iso(92_000),
    namespaces: [sharedNamespace],
    ...overrides,
  };
}

/** One of three replicas is never scheduled. */
export function sampleFailure(overrides: Partial<CheckResult> = {}): CheckResult {
  return sampleCheck({
    id: 'toolman/T-28',
    file: 'suites/toolman/availability.e2e.ts',
    title: 'keeps three replicas available',
    requirements: ['T-28'],
    status: 'failed',
    startedAt: iso(62_000),
    durationMs: 90_400,
    namespaces: [`${sharedNamespace}-2`],
    observed: ['2 EndpointSlice addresses ready', 'PodDisruptionBudget toolman: minAvailable 2'],
    reason: '2 of 3 replicas became available within 90 s',
    diagnosis: {
      summary: '2 of 3 replicas became available within 90 s',
      expected: 'Deployment toolman: 3 available',
      actual: '2',
      causes: [
        { object: 'Deployment toolman', says: 'has 2 of 3 replicas available' },
        { object: 'Pod toolman-7c9d-x2l4', says: 'is Pending: it was not scheduled' },
        {
          object: 'Event FailedScheduling',
          says: '0/4 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) had volume node affinity conflict, 1 Insufficient cpu',
        },
        {
          object: 'PersistentVolumeClaim data',
          says: '(ReadWriteOnce) is bound to node kp-worker2, which has no cpu left: 1900m of 2000m requested',
        },
      ],
      hint: 'Request ReadWriteMany storage, or run with `--set persistence.enabled=false`.',
      timeline: [
        { afterMs: 600, text: 'toolman-7c9d-x2l4: created by ReplicaSet toolman-7c9d' },
        { afterMs: 1000, text: 'toolman-7c9d-x2l4: FailedScheduling: 0/4 nodes are available ×4' },
        { afterMs: 12_400, text: 'toolman-7c9d-k8wq: pod is ready' },
        { afterMs: 13_400, text: 'toolman-7c9d-p0zz: pod is ready' },
      ],
    },
    artifacts: [
      'toolman/T-28/diagnosis.md',
      'toolman/T-28/events.yaml',
      'toolman/T-28/logs/toolman-7c9d-k8wq.log',
    ],
    ...overrides,
  });
}

export function sampleSkip(overrides: Partial<CheckResult> = {}): CheckResult {
  return sampleCheck({
    id: 'toolman/T-52',
    file: 'suites/toolman/network.e2e.ts',
    title: 'denies traffic from other namespaces',
    requirements: ['T-52'],
    status: 'skipped',
    durationMs: 0,
    assertions: 0,
    observed: [],
    reason: 'the cluster does not enforce NetworkPolicy: a pod reached a deny-all namespace',
    ...overrides,
  });
}

/** A check that does not fit the subject. */
export function sampleMisfit(overrides: Partial<CheckResult> = {}): CheckResult {
  return sampleSkip({
    id: 'toolman/T-21',
    title: 'routes its Service to exactly its ready pods',
    requirements: ['T-21'],
    status: 'not-applicable',
    reason: 'the chart renders no Service',
    ...overrides,
  });
}

/** Advice that the subject does not follow. */
export function sampleWarning(overrides: Partial<CheckResult> = {}): CheckResult {
  return sampleCheck({
    id: 'toolman/X-12',
    title: 'has a limit of memory for every container',
    requirements: ['X-12'],
    status: 'warning',
    reason: 'container toolman has no memory limit',
    diagnosis: {
      summary: 'container toolman has no memory limit',
      causes: [],
      hint: 'Set resources.limits.memory.',
      timeline: [],
    },
    ...overrides,
  });
}

export function sampleProof(overrides: Partial<Proof> = {}): Proof {
  return {
    fault: 'single-replica',
    suite: 'toolman',
    requirements: ['T-28', 'T-35'],
    outcome: 'caught',
    reason: '1 of 3 replicas became available within 90 s',
    durationMs: 12_300,
    namespaces: [`${sharedNamespace}-${overrides.fault ?? 'single-replica'}`],
    ...overrides,
  };
}

type Step = [
  second: number,
  pod: string,
  kind: string,
  text: string,
  more?: { container?: string; warning?: boolean },
];

/** A timeline that begins `from` seconds after the run; the steps are relative to it. */
function timeline(from: number, steps: readonly Step[], rest: Partial<PodTimeline>): PodTimeline {
  const moments = steps.map(([second, pod, kind, text, more = {}]) => ({
    at: start + (from + second) * 1000,
    pod,
    kind,
    text,
    warning: false,
    ...more,
  }));
  const times = moments.map(({ at }) => at);
  return {
    suite: 'toolman',
    namespace: sharedNamespace,
    title: sharedNamespace,
    checks: [],
    startedAt: Math.min(...times),
    endedAt: Math.max(...times),
    moments,
    ...rest,
  };
}

const warning = { warning: true };
const app = { container: 'toolman' };

function becomesReady(pod: string, second: number): Step[] {
  return [
    [second, pod, 'created', 'created by ReplicaSet toolman-7c9d'],
    [second + 0.2, pod, 'scheduled', 'scheduled to kp-1a2b-worker'],
    [second + 0.9, pod, 'init-started', 'init wait-for-schema started', { container: 'wait-for-schema' }],
    [
      second + 3.7,
      pod,
      'init-finished',
      'init wait-for-schema ended with 0',
      { container: 'wait-for-schema' },
    ],
    [second + 4.1, pod, 'started', 'toolman started', app],
    [second + 11.9, pod, 'ready', 'toolman is ready', app],
    [second + 12, pod, 'ready', 'pod is ready'],
  ];
}

function isDeleted(pod: string, second: number): Step[] {
  return [
    [second, pod, 'deleting', 'deletion requested'],
    [second + 1.8, pod, 'terminated', 'toolman ended with 0', app],
    [second + 2.6, pod, 'deleted', 'deleted'],
  ];
}

/** The shared release: a migration, then two replicas, one of which is OOM-killed. */
function sharedTimeline(): PodTimeline {
  const [migration, steady, killed] = ['toolman-migrate-1-9x4k', 'toolman-7c9d-b4tv', 'toolman-7c9d-q9nm'];
  return timeline(
    60,
    [
      [0.1, migration, 'created', 'created by Job toolman-migrate-1'],
      [0.2, migration, 'scheduled', 'scheduled to kp-1a2b-worker'],
      [1.4, migration, 'started', 'migrate started', { container: 'migrate' }],
      [6.9, migration, 'terminated', 'migrate ended with 0', { container: 'migrate' }],
      [7.1, migration, 'deleted', 'deleted'],
      ...becomesReady(steady, 7.3),
      ...becomesReady(killed, 7.4),
      [47.0, killed, 'unready', 'toolman is no longer ready', app],
      [47.1, killed, 'unready', 'pod is no longer ready'],
      [47.2, killed, 'event', 'Unhealthy: Readiness probe failed: statuscode: 503', warning],
      [52.0, killed, 'oom-killed', 'toolman was killed for using too much memory', { ...app, ...warning }],
      [53.4, killed, 'restarted', 'toolman restarted (restart 1)', app],
      [61.2, killed, 'ready', 'toolman is ready', app],
      [61.3, killed, 'ready', 'pod is ready'],
      ...isDeleted(steady, 97.6),
      ...isDeleted(killed, 97.7),
    ],
    { checks: ['toolman/T-35', 'toolman/T-12'] },
  );
}

/** The release of `sampleFailure`. */
function failureTimeline(): PodTimeline {
  const pending = 'toolman-7c9d-x2l4';
  const refused = 'FailedScheduling: 0/4 nodes are available';
  return timeline(
    62,
    [
      [0.6, pending, 'created', 'created by ReplicaSet toolman-7c9d'],
      ...[1, 5.8, 31, 65].map((second): Step => [second, pending, 'event', refused, warning]),
      ...becomesReady('toolman-7c9d-k8wq', 0.4),
      ...becomesReady('toolman-7c9d-p0zz', 1.4),
    ],
    { namespace: `${sharedNamespace}-2`, checks: ['toolman/T-28'] },
  );
}

function faultTimeline(): PodTimeline {
  return timeline(160, [...becomesReady('toolman-7c9d-z7rr', 0), ...isDeleted('toolman-7c9d-z7rr', 14)], {
    namespace: `${sharedNamespace}-single-replica`,
    title: 'fault single-replica',
  });
}

/** One failure, one skip, the rest passed; `overrides` replace whole parts. */
export function sampleReport(overrides: Partial<Report> = {}): Report {
  const report = wholeReport(overrides);
  return { plan: planOf(report), ...report };
}

/** What was planned if nothing is missing. */
function planOf({ checks, proofs = [] }: Pick<Report, 'checks' | 'proofs'>): Report['plan'] {
  return {
    checks: checks.map(({ id, suite, requirements, status }) => ({
      id,
      suite,
      requirements,
      // Only advice may have a warning.
      ...(status === 'warning' && { level: 'advice' as const }),
    })),
    proofs: proofs.map(({ fault, suite, requirements }) => ({ fault, suite, requirements })),
  };
}

function wholeReport(overrides: Partial<Report>): Report {
  return {
    schemaVersion: 2,
    run: {
      id: '20260302-210410-1a2b',
      startedAt: iso(0),
      durationMs: 214_000,
      command: 'npm run e2e -- --suite toolman --suite tool-registry --prove',
      exitCode: 1,
      verdict: 'failed',
    },
    tools: {
      kindproof: '0.1.0',
      node: '20.20.2',
      kind: '0.30.0',
      helm: '3.19.0 (sha256:0f3b8f1c…)',
      docker: '28.2.2, cgroup v2, overlay2',
    },
    cluster: {
      provider: 'kind',
      name: 'kp-1a2b',
      kubernetes: 'v1.34.1',
      nodes: [
        node('kp-1a2b-control-plane', 'control-plane', {}, [
          'node-role.kubernetes.io/control-plane:NoSchedule',
        ]),
        node('kp-1a2b-worker', 'worker', { 'kindproof.dev/pool': 'general' }, []),
        node('kp-1a2b-worker2', 'worker', { 'kindproof.dev/pool': 'general' }, []),
        {
          ...node('kp-1a2b-worker3', 'worker', { 'nvidia.com/gpu.present': 'true' }, [
            'nvidia.com/gpu:NoSchedule',
          ]),
          gpus: 2,
          gpuSource: 'status-patch',
        },
      ],
      capabilities: [
        { name: 'metrics', present: true, evidence: 'metrics.k8s.io answered for 4 nodes' },
        {
          name: 'network-policy',
          present: false,
          evidence: 'a pod reached a service in a deny-all namespace within 0.4 s',
        },
        {
          name: 'runtime-class nvidia',
          present: true,
          evidence: 'a pod with runtimeClassName nvidia started on kp-1a2b-worker3',
        },
      ],
    },
    subjects: [
      {
        suite: 'toolman',
        chart: 'fixtures/charts/toolman 1.4.2',
        values: ['fixtures/values/toolman/three-replicas.yaml', '--set persistence.enabled=true'],
        images: [
          { name: 'toolman', ref: 'kindproof.local/toolman:1a2b', digest: `sha256:${'4be1c09f'.repeat(8)}` },
          { name: 'migrate', ref: 'kindproof.local/toolman-migrate:1a2b' },
        ],
      },
    ],
    phases: [
      { name: 'preflight', startedAt: iso(0), durationMs: 1200, status: 'passed' },
      { name: 'cluster', startedAt: iso(1300), durationMs: 48_000, status: 'passed' },
      { name: 'images', startedAt: iso(1300), durationMs: 31_000, status: 'passed' },
      { name: 'load images', startedAt: iso(49_400), durationMs: 9_800, status: 'passed' },
      { name: 'checks', startedAt: iso(60_000), durationMs: 138_000, status: 'failed' },
      { name: 'clean up', startedAt: iso(198_500), durationMs: 15_200, status: 'passed' },
    ],
    checks: [
      sampleCheck(),
      sampleFailure(),
      sampleSkip(),
      sampleCheck({
        id: 'toolman/T-12',
        title: 'migrates the database before the first application container starts',
        requirements: ['T-12'],
        startedAt: iso(80_000),
        durationMs: 40,
        observed: ['migrate ended at +6.9 s, the first toolman container started at +11.4 s'],
      }),
      sampleCheck({
        id: 'tool-registry/R-07',
        suite: 'tool-registry',
        file: 'suites/tool-registry/memory.e2e.ts',
        title: 'stays within its memory limit under load',
        requirements: ['R-07'],
        durationMs: 22_100,
        namespaces: [],
        observed: ['peak 181 Mi of 256 Mi', 'oom_kill 0 on kp-1a2b-worker'],
      }),
    ],
    proofs: [
      sampleProof(),
      sampleProof({
        fault: 'no-anti-affinity',
        requirements: ['T-35'],
        outcome: 'wrong-reason',
        reason: 'expected "skew 2", the check said: waited 90.0 s for 3 pods; last seen: 0 pods',
      }),
      sampleProof({
        fault: 'migration-after-app',
        requirements: ['T-12'],
        outcome: 'missed',
        reason: 'T-12 passed',
      }),
    ],
    requirements: [
      row(
        'T-12',
        'The schema is migrated before any application container starts.',
        'migrates the database first',
        ['migration-after-app'],
      ),
      row(
        'T-28',
        'Three replicas are available within 90 seconds of the install.',
        'keeps three replicas available',
        ['single-replica'],
      ),
      row(
        'T-35',
        'Replicas are spread over the nodes, with a skew of at most one.',
        'spreads its replicas over the nodes',
        ['no-anti-affinity', 'single-replica'],
      ),
      row('T-52', 'Other namespaces cannot reach the server.', 'denies traffic from other namespaces', [
        'policy-missing',
      ]),
      {
        ...row('T-60', 'A backup can be restored into a new release.', '', []),
        checks: [],
        status: 'uncovered',
      },
      {
        ...row('T-61', 'The dashboard shows the queue length.', '', []),
        checks: [],
        status: 'not-applicable',
        reason: 'about a hosted service, not the chart',
      },
      {
        ...row('R-07', 'The registry stays within its memory limit.', 'stays within its memory limit', [
          'leak',
        ]),
        suite: 'tool-registry',
        source: 'tool-registry/README.md#resources',
      },
    ],
    timelines: [sharedTimeline(), failureTimeline(), faultTimeline()],
    leftovers: [],
    ...overrides,
  };
}

function node(name: string, role: string, labels: Record<string, string>, taints: string[]) {
  return {
    name,
    role,
    labels: {
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      ...labels,
    },
    taints,
    gpus: 0,
    kubelet: 'v1.34.1',
    runtime: 'containerd://2.1.4',
  };
}

function row(id: string, requirement: string, title: string, faults: string[]) {
  return {
    id,
    suite: 'toolman',
    source: 'toolman/docs/operations.md#availability',
    requirement,
    checks: [{ file: 'suites/toolman/availability.e2e.ts', title }],
    faults,
    status: 'covered' as const,
  };
}
