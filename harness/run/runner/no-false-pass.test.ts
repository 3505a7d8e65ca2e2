import { describe, expect, it } from 'vitest';
import type { TestCase, Vitest } from 'vitest/node';
import { sampleCheck, sampleProof, sampleReport } from '../../testing/sample-report.ts';
import { toJunit } from '../report/junit/junit.ts';
import type { CheckResult, Proof, Report } from '../report/model.ts';
import { verdictOf } from '../report/verdict.ts';
import type { TestRecord } from '../suite/test-record.ts';
import { conclude } from './outcome.ts';
import { failureOf, resultReporter, type CheckListener, type RunnerSummary } from './result-reporter.ts';

/** What vitest says about one test that has ended. `record` comes from the worker, so anything may arrive. */
interface Delivery {
  project: string;
  record: unknown;
  state: 'passed' | 'failed' | 'skipped' | 'pending';
}

type Random = (below: number) => number;

/** A seeded generator (mulberry32), so that a failure can be repeated. */
function randomOf(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below || 0;
  };
}
const index = (random: Random, length: number): number => Math.floor(random(length));
const pick = <T>(random: Random, items: readonly T[]): T => items[index(random, items.length)]!;

const STATES = {
  passed: 'passed',
  warning: 'passed',
  failed: 'failed',
  errored: 'failed',
  skipped: 'skipped',
  'not-applicable': 'skipped',
  blocked: 'skipped',
} as const;

function checkDelivery(result: CheckResult): Delivery {
  const { id, file, requirements, title, suite, status } = result;
  const record: TestRecord = {
    type: 'check',
    check: { id, file, requirements: [...requirements], title, tags: [suite, 'live'] },
    selected: true,
    outcome: { result, capabilities: [{ name: 'metrics', present: true, evidence: 'it answered' }] },
  };
  return { project: suite, record, state: STATES[status] };
}

function proofDelivery(proof: Proof): Delivery {
  const { fault, suite, requirements, outcome } = proof;
  const record: TestRecord = {
    type: 'proof',
    fault: { fault, suite, requirements: [...requirements] },
    outcome: { proof, capabilities: [] },
  };
  return { project: `${suite} faults`, record, state: outcome === 'caught' ? 'passed' : 'failed' };
}

const check = (suite: string, requirement: string, parts: Partial<CheckResult> = {}): CheckResult =>
  sampleCheck({
    id: `${suite}/${requirement}`,
    suite,
    requirements: [requirement],
    file: '/project/x.ts',
    ...parts,
  });

const CHECKS = [
  ...['T-1', 'T-2', 'T-3', 'T-4'].map((id) => check('toolman', id)),
  check('toolman', 'T-5', { status: 'skipped', reason: 'the cluster lacks x', assertions: 0 }),
  check('toolman', 'T-7', { status: 'not-applicable', reason: 'the chart renders no x', assertions: 0 }),
  check('toolman', 'T-8', { status: 'warning', reason: 'it has no x' }),
  check('toolman', 'T-1', { id: 'toolman/T-1#2', requirements: ['T-1', 'T-6'] }),
  ...['G-1', 'G-2'].map((id) => check('agent', id)),
];
const PROOFS = [
  ...['any-node', 'no-probe', 'single-replica'].map((fault) => sampleProof({ fault })),
  sampleProof({ fault: 'any-node', suite: 'agent', requirements: ['G-1'] }),
];
const ADVICE = 'toolman/T-8';
const { plan: PLAN } = sampleReport({ checks: CHECKS, proofs: PROOFS });

/** Fresh copies: they are changed in place. */
const deliveries = (): Delivery[] =>
  structuredClone([...CHECKS.map(checkDelivery), ...PROOFS.map(proofDelivery)]);

/** What the runner makes of the deliveries: the same channel, and the same conclusion, as in a run. */
function reportOf(delivered: readonly Delivery[]): Report {
  const { run: sample, ...rest } = sampleReport({ checks: [], proofs: [], plan: PLAN! });
  const { id, startedAt, command } = sample;
  const run = { id, startedAt, command, durationMs: 0, exitCode: 3, verdict: '' };
  const report: Report = { ...rest, run };
  const summary: RunnerSummary = { errors: [], interrupted: false };
  const ignore = (): void => {};
  const listener: CheckListener = {
    ...({
      onStart: ignore,
      onRunning: ignore,
      onSecrets: ignore,
      onCapabilities: ignore,
      onStalls: ignore,
      onNotice: ignore,
    } as const),
    onCheck: (result) => report.checks.push(result),
    onProof: (proof) => report.proofs?.push(proof),
  };
  const vitest = { cancelCurrentRun: () => Promise.resolve() } as unknown as Vitest;
  const reporter = resultReporter({ listener, root: '/project' }, summary, () => vitest);
  for (const one of delivered) {
    const testCase = testCaseOf(one);
    reporter.onTestCaseReady?.(testCase);
    reporter.onTestCaseResult?.(testCase);
  }
  conclude({ report, startedAt: 0 }, failureOf(summary));
  return report;
}

function testCaseOf({ project, record, state }: Delivery): TestCase {
  const fake = {
    name: 'a test',
    project: { name: project },
    meta: () => ({ kindproof: record }),
    result: () => ({ state, errors: state === 'failed' ? [{ message: 'it threw' }] : undefined }),
    diagnostic: () => ({ duration: 1, startTime: 0 }),
  };
  return fake as unknown as TestCase;
}

/**
 * Exactly one result for every planned check and fault, each passed, caught, skipped or not applicable, only advice with a warning, and
 * some check of each suite passed.
 */
function isCompletePass(delivered: readonly Delivery[]): boolean {
  const original = deliveries();
  const about = ({ project, record }: Delivery): string => {
    const {
      type,
      check: own,
      fault,
      selected,
      outcome,
    } = record as Partial<Record<string, Record<string, unknown>>>;
    const result = (outcome?.['result'] ?? outcome?.['proof']) as Record<string, unknown> | undefined;
    return JSON.stringify([
      ...[type, own?.['id'], fault?.['fault'], fault?.['suite'], outcome?.['infrastructure']],
      // A proof names its suite itself, and the run selects all that it declares.
      ...(own ? [project, selected] : []),
      ...['id', 'fault', 'suite', 'requirements'].map((key) => result?.[key]),
    ]);
  };
  const isGood = ({ record, state }: Delivery): boolean => {
    const { outcome } = record as { outcome?: { result?: CheckResult; proof?: Proof } };
    if (outcome?.proof) return outcome.proof.outcome === 'caught' && state === 'passed';
    const { id, status, assertions } = outcome?.result ?? {};
    if (status === 'warning') return id === ADVICE && state === 'passed';
    if (status === 'skipped' || status === 'not-applicable') return state === 'skipped';
    return status === 'passed' && state === 'passed' && Number(assertions) > 0;
  };
  const areRecords = delivered.every(({ record }) => typeof record === 'object' && record !== null);
  if (!areRecords || !delivered.every(isGood)) return false;
  if (JSON.stringify(delivered.map(about).toSorted()) !== JSON.stringify(original.map(about).toSorted()))
    return false;
  return ['toolman', 'agent'].every((suite) =>
    delivered.some(({ project, state }) => project === suite && state === 'passed'),
  );
}

interface Leaf {
  holder: Record<string, unknown>;
  key: string;
}

function leavesOf(value: unknown): Leaf[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...leavesOf(holder[key])]);
}

type Change = (delivered: Delivery[], at: number, random: Random) => void;

const recordAt = (delivered: Delivery[], at: number) =>
  delivered[at]!.record as {
    check?: { id: string };
    fault?: { fault: string };
    selected?: boolean;
    outcome?: { result?: CheckResult; proof?: Proof; infrastructure?: unknown };
  };

/** Nothing that may happen to a result on its way leaves a pass. */
const HARMFUL: Record<string, Change> = {
  'is dropped': (delivered, at) => void delivered.splice(at, 1),
  'arrives twice': (delivered, at) => void delivered.push(structuredClone(delivered[at]!)),
  'arrives twice, once as failed': (delivered, at, random) => {
    const copy = [structuredClone(delivered[at]!)];
    HARMFUL['says failed']!(copy, 0, random);
    delivered.splice(index(random, delivered.length), 0, copy[0]!);
  },
  'has no end': (delivered, at, random) => {
    delete recordAt(delivered, at).outcome;
    delivered[at]!.state = pick(random, ['passed', 'skipped', 'pending', 'failed'] as const);
  },
  'has no record': (delivered, at) => (delivered[at]!.record = undefined),
  'is truncated JSON': (delivered, at, random) => {
    const text = JSON.stringify(delivered[at]!.record);
    delivered[at]!.record = text.slice(0, index(random, text.length));
  },
  'says failed': (delivered, at) => {
    const { result, proof } = recordAt(delivered, at).outcome ?? {};
    if (result) result.status = 'failed';
    if (proof) proof.outcome = 'missed';
  },
  'says errored': (delivered, at) => {
    const { result, proof } = recordAt(delivered, at).outcome ?? {};
    if (result) result.status = 'errored';
    if (proof) proof.outcome = 'errored';
  },
  'says blocked': (delivered, at) => {
    const { result, proof } = recordAt(delivered, at).outcome ?? {};
    if (result) result.status = 'blocked';
    if (proof) proof.outcome = 'wrong-reason';
  },
  'says not applicable, and the test runner that it passed': (delivered, at) => {
    const { result, proof } = recordAt(delivered, at).outcome ?? {};
    if (result) result.status = 'not-applicable';
    if (proof) proof.outcome = 'errored';
    delivered[at]!.state = 'passed';
  },
  'says failed as a warning': (delivered, at) => {
    const { result, proof } = recordAt(delivered, at).outcome ?? {};
    // Advice may say so.
    if (result) result.status = result.id === ADVICE ? 'failed' : 'warning';
    if (proof) proof.outcome = 'missed';
    delivered[at]!.state = 'passed';
  },
  'says something unknown': (delivered, at, random) => {
    const { result, proof } = recordAt(delivered, at).outcome ?? {};
    const said = pick(random, ['green', 'PASSED', '', true, null, 1, ['passed']]) as never;
    if (result) result.status = said;
    if (proof) proof.outcome = said;
  },
  'is contradicted by the test runner': (delivered, at) => (delivered[at]!.state = 'failed'),
  'names an unknown check': (delivered, at) => {
    const { outcome } = recordAt(delivered, at);
    if (outcome?.result) outcome.result.id = 'toolman/T-99';
    if (outcome?.proof) outcome.proof.fault = 'unknown';
  },
  'is declared for an unknown check': (delivered, at) => {
    const { check: own, fault, outcome } = recordAt(delivered, at);
    if (own) own.id = 'toolman/T-99';
    if (fault) fault.fault = 'unknown';
    HARMFUL['names an unknown check']!([{ ...delivered[at]!, record: { outcome } }], 0, () => 0);
  },
  'is about other requirements': (delivered, at) => {
    const { result, proof } = recordAt(delivered, at).outcome ?? {};
    (result ?? proof)!.requirements = ['T-99'];
  },
  'comes from another suite': (delivered, at) => {
    const { proof } = recordAt(delivered, at).outcome ?? {};
    delivered[at]!.project = 'elsewhere';
    if (proof) proof.suite = 'elsewhere';
  },
  'reports a lost cluster': (delivered, at) => {
    recordAt(delivered, at).outcome!.infrastructure = { code: 'E_CLUSTER_LOST', message: 'gone' };
  },
  'brings an unplanned one along': (delivered) => {
    delivered.push(structuredClone(checkDelivery(check('toolman', 'T-99'))));
  },
};

/** These may, or may not, leave a pass. */
const OTHER: Record<string, Change> = {
  'is not applicable': (delivered, at) => {
    const { result } = recordAt(delivered, at).outcome ?? {};
    if (!result) return;
    result.status = 'not-applicable';
    delivered[at]!.state = 'skipped';
  },
  'has another value somewhere': (delivered, at, random) => {
    const leaves = leavesOf(delivered[at]!.record);
    if (leaves.length === 0) return;
    const { holder, key } = pick(random, leaves);
    holder[key] = pick(random, [undefined, null, 0, -1, NaN, '', 'x', true, false, [], {}, ['x'], { x: 1 }]);
  },
  'lacks something': (delivered, at, random) => {
    const leaves = leavesOf(delivered[at]!.record);
    if (leaves.length === 0) return;
    const { holder, key } = pick(random, leaves);
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- any field may be missing
    delete holder[key];
  },
  'takes the record of another': (delivered, at, random) => {
    delivered[at]!.record = structuredClone(pick(random, delivered).record);
  },
  'is not selected': (delivered, at) => {
    const { record } = delivered[at]!;
    if (typeof record === 'object' && record !== null) (record as { selected?: boolean }).selected = false;
  },
  'ends in another state': (delivered, at, random) => {
    delivered[at]!.state = pick(random, ['passed', 'failed', 'skipped', 'pending'] as const);
  },
};

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const rest = [...items];
  return items.map(() => rest.splice(index(random, rest.length), 1)[0]!);
}

/** Why the report looks like a pass, or says different things in different places; empty when it does neither. */
function flawsOf(report: Report): string[] {
  const { exitCode, verdict, error } = report.run;
  const { tone, text, ...shown } = verdictOf(report);
  const looksPassed = exitCode === 0 || tone === 'passed' || /^passed|every fault was caught/.test(verdict);
  const agrees = shown.exitCode === exitCode && text === verdict && [1, 3].includes(exitCode);
  // Without a verdict the reason is in every report.
  const saysWhy = exitCode !== 3 || (error !== undefined && toJunit(report).includes(error.code));
  return [
    ...(looksPassed ? [`looks passed: exit code ${exitCode}, "${verdict}"`] : []),
    ...(agrees ? [] : [`exit code ${exitCode}, "${verdict}", shown as ${shown.exitCode}, "${text}"`]),
    ...(saysWhy ? [] : ['does not say why there is no verdict']),
  ];
}

interface Trial {
  seed: number;
  changes: string[];
  delivered: Delivery[];
  report: Report;
}

/** A run in which one to three random things happened to the results. */
function trial(seed: number): Trial {
  const random = randomOf(seed);
  const possible = Object.entries({ ...HARMFUL, ...OTHER });
  const delivered = deliveries();
  const changes: string[] = [];
  for (let left = 1 + index(random, 3); left > 0 && delivered.length > 0; left -= 1) {
    const at = index(random, delivered.length);
    const [name, change] = pick(random, possible);
    const before = structuredClone(delivered);
    try {
      change(delivered, at, random);
      changes.push(`result ${at} ${name}`);
    } catch {
      // An earlier change removed what this one changes.
      delivered.splice(0, delivered.length, ...before);
    }
  }
  return { seed, changes, delivered, report: reportOf(shuffled(delivered, random)) };
}

describe('a run whose checks passed and whose faults were caught', () => {
  it('passes, in whatever order the results arrive', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const report = reportOf(shuffled(deliveries(), randomOf(seed)));
      expect({ seed, ...report.run }).toMatchObject({ seed, exitCode: 0, verdict: 'passed' });
      expect(report.checks).toHaveLength(CHECKS.length);
    }
  });

  it.each(Object.keys(HARMFUL))('does not pass when any one of its results %s', (name) => {
    for (let at = 0; at < deliveries().length; at += 1) {
      const delivered = deliveries();
      HARMFUL[name]!(delivered, at, randomOf(at + 1));
      expect([at, isCompletePass(delivered)]).toEqual([at, false]);
      expect([at, flawsOf(reportOf(delivered))]).toEqual([at, []]);
    }
  });

  it('has no verdict when nothing of a suite applies to the subject', () => {
    for (const suite of ['toolman', 'agent']) {
      const delivered = deliveries();
      delivered.forEach(({ project }, at) => {
        if (project === suite) OTHER['is not applicable']!(delivered, at, () => 0);
      });
      const { run: ended } = reportOf(delivered);
      expect(ended).toMatchObject({ exitCode: 3, error: { code: 'E_NOTHING_CHECKED' } });
      expect(ended.verdict).toContain('not applicable to this subject');
    }
  });

  it('passes after any changes only if every result is there and good', { timeout: 120_000 }, () => {
    const trials = Array.from({ length: 800 }, (_, index) => trial(index + 1));
    const passes = trials.filter(({ report }) => report.run.exitCode === 0);
    const wrong = passes.filter(({ delivered }) => !isCompletePass(delivered));
    const flawed = trials
      .filter((one) => !passes.includes(one))
      .flatMap(({ seed, changes, report }) => flawsOf(report).map((flaw) => ({ seed, changes, flaw })));
    expect(wrong.map(({ seed, changes }) => ({ seed, changes }))).toEqual([]);
    expect(flawed).toEqual([]);
    // Both happen, so neither half of the test is empty.
    expect(passes.length).toBeGreaterThan(5);
    expect(trials.length - passes.length).toBeGreaterThan(500);
  });
});
