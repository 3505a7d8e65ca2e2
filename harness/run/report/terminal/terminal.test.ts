import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../core/deadline.ts';
import type { RunEvent } from '../events.ts';
import type { CheckResult, Report } from '../model.ts';
import {
  sampleCheck,
  sampleFailure,
  sampleProof,
  sampleReport,
  sampleMisfit,
  sampleSkip,
  sampleWarning,
} from '../../../testing/sample-report.ts';
import type { TerminalOptions } from './terminal.ts';
import { createTerminalReporter } from './terminal.ts';
import { createVirtualTerminal } from '../../../testing/virtual-terminal.ts';
import { widthOf } from '../text.ts';

/** A clock that only `advance` moves. */
function createManualClock(): Clock & { advance(ms: number): Promise<void> } {
  let now = 0;
  let sleepers: { at: number; wake: () => void }[] = [];
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const onAbort = () => {
          reject(new Error('aborted'));
        };
        signal?.addEventListener('abort', onAbort);
        const wake = () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        };
        sleepers.push({ at: now + ms, wake });
      }),
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        const next = sleepers.filter((sleeper) => sleeper.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        now = next.at;
        sleepers = sleepers.filter((sleeper) => sleeper !== next);
        next.wake();
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
      now = end;
    },
  };
}

function setUp(options: Partial<TerminalOptions> = {}) {
  const terminal = createVirtualTerminal();
  const clock = createManualClock();
  const reporter = createTerminalReporter({
    stream: terminal,
    isTty: false,
    color: false,
    columns: 110,
    clock,
    cwd: '/project',
    ...options,
  });
  const send = (...events: RunEvent[]) => {
    for (const event of events) reporter.onEvent?.(event);
  };
  return { terminal, clock, reporter, send, text: () => terminal.lines().join('\n') };
}

const started: RunEvent = {
  type: 'run-started',
  runId: '20260302-1a2b',
  directory: '/project/runs/20260302-1a2b',
  command: 'npm run e2e',
};
const ended = (report: Report): RunEvent => ({ type: 'run-ended', report, directory: '/project/runs/x' });
const checkEnded = (check = sampleCheck()): RunEvent => ({
  type: 'check-ended',
  check,
  suite: check.suite,
  rerun: `npm run e2e -- --requirement ${check.requirements.join(' ')} --reuse`,
});

/** A run of these events, to its end. */
const wholeRun = (...events: RunEvent[]): RunEvent[] => [started, ...events, ended(sampleReport())];
/** Between the checks and the summary. */
const failuresIn = (text: string) =>
  text.split('\nslowest')[0]!.split('\n\n').slice(2).join('\n\n').trimEnd();

describe('a failed check', () => {
  it('is one line during the run and a full block above the summary', () => {
    const { send, text } = setUp();

    send(started, checkEnded(sampleFailure()), checkEnded());
    const during = text();
    send(ended(sampleReport()));

    expect(during).toMatchInlineSnapshot(`
      "kindproof 20260302-1a2b


      toolman
      ✗ T-28  keeps three replicas available  failed
      ✓ T-35  spreads its replicas over the nodes  0.3 s"
    `);
    expect(failuresIn(text())).toMatchInlineSnapshot(`
      "✗ T-28  2 of 3 replicas became available within 90 s
          expected  Deployment toolman: 3 available        actual  2
          because   Deployment toolman has 2 of 3 replicas available
                    Pod toolman-7c9d-x2l4 is Pending: it was not scheduled
                    Event FailedScheduling 0/4 nodes are available: 1 node(s) had untolerated taint
                      {node-role.kubernetes.io/control-plane: }, 2 node(s) had volume node affinity conflict, 1
                      Insufficient cpu
                    PersistentVolumeClaim data (ReadWriteOnce) is bound to node kp-worker2, which has no cpu left:
                      1900m of 2000m requested
          fix       Request ReadWriteMany storage, or run with \`--set persistence.enabled=false\`.
          timeline   +0.6 s  toolman-7c9d-x2l4: created by ReplicaSet toolman-7c9d
                     +1.0 s  toolman-7c9d-x2l4: FailedScheduling: 0/4 nodes are available ×4
                    +12.4 s  toolman-7c9d-k8wq: pod is ready
                    +13.4 s  toolman-7c9d-p0zz: pod is ready
          see       runs/20260302-1a2b/toolman/T-28/
          again     npm run e2e -- --requirement T-28 --reuse"
    `);
  });

  it('is printed in full only once', () => {
    const { send, text } = setUp();

    send(...wholeRun(checkEnded(sampleFailure())));

    expect(text().split('2 of 3 replicas became available').length - 1).toBe(1);
  });

  it('stays within a narrow terminal, except for what is meant to be copied', () => {
    const { send, terminal } = setUp({ columns: 50 });

    send(...wholeRun(checkEnded(sampleFailure())));

    const lines = failuresIn(terminal.lines().join('\n')).split('\n');
    expect(lines.filter((line) => widthOf(line) > 50 && !/^ +see /.test(line))).toEqual([]);
  });

  it('keeps the lines of a reason indented and lets no tool move the cursor', () => {
    const { send, terminal, text } = setUp();
    const check = sampleFailure({ reason: 'helm failed:\n\u001b[2JError: no\rmatches' });
    delete check.diagnosis;

    send(...wholeRun(checkEnded(check)));

    expect(text()).toContain('✗ T-28  helm failed:\n    Error: no\n    matches');
    expect(terminal.raw()).not.toContain('\u001b');
  });

  it('prints short state changes in one line, equal ones once', () => {
    const { send, text } = setUp();
    const check = sampleFailure();
    const timeline = ['created', 'FailedScheduling', 'FailedScheduling', 'deadline'].map((entry, index) => ({
      afterMs: index * 1000,
      text: entry,
    }));

    send(...wholeRun(checkEnded({ ...check, diagnosis: { ...check.diagnosis!, timeline } })));

    expect(text()).toContain('timeline  +0.0 s created · +1.0 s FailedScheduling ×2 · +3.0 s deadline\n');
  });

  it('puts long state changes on lines of their own and prints the last ones', () => {
    const { send, text } = setUp();
    const check = sampleFailure();
    const timeline = Array.from({ length: 20 }, (_, index) => ({
      afterMs: index * 1000,
      text: `toolman-7c9d-x2l4: Unhealthy: Readiness probe failed: attempt ${index}`,
    }));

    send(...wholeRun(checkEnded({ ...check, diagnosis: { ...check.diagnosis!, timeline } })));

    expect(text()).toMatch(/timeline {2}… 12 earlier\n +\+12\.0 s {2}toolman-7c9d-x2l4: Unhealthy/);
    expect(text()).toContain('attempt 19');
  });

  it('has a command that can be copied from a narrow terminal', () => {
    const { send, text } = setUp({ columns: 60 });
    const rerun = `npm run e2e -- --requirement T-28 --set 'a=b c' --values values/three-replicas.yaml`;

    send(...wholeRun({ type: 'check-ended', check: sampleFailure(), suite: 'toolman', rerun }));

    expect(text()).toContain(
      [
        '    again     npm run e2e -- --requirement T-28 \\',
        "              --set 'a=b c' \\",
        '              --values values/three-replicas.yaml',
      ].join('\n'),
    );
  });
});

describe('blocked checks', () => {
  const blocked = (id: number, more: Partial<CheckResult> = {}) =>
    checkEnded(
      sampleCheck({
        id: `toolman/T-${id}`,
        status: 'blocked',
        reason: 'the release never became ready',
        ...more,
      }),
    );
  const many = Array.from({ length: 30 }, (_, index) => blocked(100 + index, { blockedBy: 'toolman/T-28' }));

  it('are one line for each failure, with as many ids as fit', () => {
    const { send, terminal } = setUp();

    send(...wholeRun(...many, checkEnded(sampleFailure())));

    const lines = terminal.lines().filter((line) => /blocked|T-1\d\d/.test(line));
    expect(lines).toEqual([
      '○ 30 checks blocked by T-28: the release never became ready (T-100, T-101, T-102, T-103, T-104, T-105 …)',
    ]);
  });

  it('name the check that reports the failure only when it is known', () => {
    const { send, text } = setUp();

    send(
      ...wholeRun(
        checkEnded(sampleFailure()),
        checkEnded(sampleFailure({ id: 'toolman/T-40' })),
        blocked(1, { blockedBy: 'toolman/T-40' }),
        blocked(2),
      ),
    );

    expect(text()).toContain(
      [
        '○ 1 check blocked by T-40: the release never became ready (T-1)',
        '○ 1 check blocked: the release never became ready (T-2)',
      ].join('\n'),
    );
  });

  it('are printed for each suite, under its name', () => {
    const { send, text } = setUp();

    send(
      ...wholeRun(
        checkEnded(sampleFailure()),
        blocked(1, { blockedBy: 'toolman/T-28' }),
        checkEnded(sampleFailure({ id: 'other/O-1', suite: 'other' })),
        blocked(2, { id: 'other/O-2', suite: 'other', blockedBy: 'other/O-1' }),
      ),
    );

    expect(text()).toMatch(/\n\ntoolman\n\n○ 1 check blocked by T-28: .* \(T-1\)\n\n✗ T-28 /);
    expect(text()).toMatch(/\n\nother\n\n○ 1 check blocked by O-1: .* \(O-2\)\n\n✗ O-1 /);
  });
});

describe('checks and proofs', () => {
  it('are one line each under the name of their suite', () => {
    const { send, text } = setUp();

    send(
      checkEnded(),
      checkEnded(sampleSkip()),
      checkEnded(sampleMisfit()),
      checkEnded(sampleWarning()),
      checkEnded(sampleCheck({ id: 'tool-registry/R-07', suite: 'tool-registry' })),
      { type: 'proof-ended', proof: sampleProof() },
      { type: 'proof-ended', proof: sampleProof({ outcome: 'missed', reason: 'T-28 passed' }) },
    );

    expect(text()).toMatchInlineSnapshot(`
      "
      toolman
      ✓ T-35  spreads its replicas over the nodes  0.3 s
      ○ T-52  denies traffic from other namespaces  skipped
          the cluster does not enforce NetworkPolicy: a pod reached a deny-all namespace
      – T-21  routes its Service to exactly its ready pods  not applicable
          the chart renders no Service
      ! X-12  has a limit of memory for every container  warning

      tool-registry
      ✓ R-07  spreads its replicas over the nodes  0.3 s

      toolman under faults
      ✓ single-replica  T-28, T-35  caught  12.3 s
          1 of 3 replicas became available within 90 s
      ✗ single-replica  T-28, T-35  missed  12.3 s"
    `);
  });

  it('print a fault that was not caught in full above the summary', () => {
    const { send, text } = setUp();

    send(
      ...wholeRun({ type: 'proof-ended', proof: sampleProof({ outcome: 'missed', reason: 'T-28 passed' }) }),
    );

    expect(failuresIn(text())).toBe('✗ single-replica  T-28, T-35  missed  12.3 s\n    T-28 passed');
  });

  it('print a fault that is not provable with its reason, and not again as a failure', () => {
    const { send, text } = setUp();
    const proof = sampleProof({ outcome: 'not-provable', reason: 'it does not fit: no such path' });

    send(...wholeRun({ type: 'proof-ended', proof }));

    expect(text()).toContain(
      '○ single-replica  T-28, T-35  not provable here  12.3 s\n    it does not fit: no such path',
    );
    expect(text().match(/not provable here {2}/g)).toHaveLength(1);
  });

  it('print the notes of a check that passed', () => {
    const { send, text } = setUp();

    send(checkEnded({ ...sampleCheck(), notes: ['Service web has no external address'] }));

    expect(text()).toContain('0.3 s\n    note: Service web has no external address');
  });

  it('print what was observed with --verbose', () => {
    const { send, text } = setUp({ verbose: true });

    send(checkEnded());

    expect(text()).toContain('0.3 s\n    3 pods on 3 nodes');
  });
});

describe('the end', () => {
  it('lists warnings with what to do, above the summary', () => {
    const { send, text } = setUp();

    send(...wholeRun(checkEnded(sampleCheck()), checkEnded(sampleWarning())));

    expect(failuresIn(text())).toBe(
      '! X-12  container toolman has no memory limit\n    fix       Set resources.limits.memory.',
    );
  });

  it.each<[string, Partial<Report>, string]>([
    [
      'checks',
      { checks: [sampleCheck(), sampleFailure(), sampleSkip()], proofs: [] },
      '1 passed, 1 failed, 1 skipped',
    ],
    [
      'proofs',
      { checks: [], proofs: [sampleProof(), sampleProof({ outcome: 'missed' })] },
      '1 passed, 1 failed, 0 skipped',
    ],
    ['nothing', { checks: [], proofs: [] }, '0 passed, 0 failed, 0 skipped'],
  ])('has the counts of %s alone on the last line', (_, parts, expected) => {
    const { send, reporter, terminal } = setUp({ isTty: true, color: true });

    send(started, { type: 'phase-started', name: 'cluster' }, ended(sampleReport(parts)));
    reporter.close?.();

    expect(terminal.lines().at(-1)).toBe(expected);
    expect(terminal.raw().endsWith(`\n${expected}\n`)).toBe(true);
  });

  it('says of a pass that something was left behind', () => {
    const { send, terminal } = setUp();

    send(ended(sampleReport({ checks: [sampleCheck()], proofs: [], leftovers: ['container kp-1'] })));

    expect(terminal.lines()).toContain('Passed, but not everything was removed. 1 check passed.');
  });

  it('repeats the counts when something was printed after them', () => {
    const { send, reporter, terminal } = setUp();

    send(ended(sampleReport()), { type: 'notice', level: 'info', text: 'the cluster is kept' });
    reporter.close?.();

    expect(terminal.lines().at(-1)).toBe('4 passed, 3 failed, 1 skipped');
  });

  it('says what lost time changed, in one line', () => {
    const stalls = [
      { place: 'machine', from: 0, to: 12_000 },
      { place: 'API server', from: 2000, to: 14_000 },
    ];
    const attempt = { startedAt: '', durationMs: 1, reason: 'it restarted', because: 'the machine stalled' };
    const repeated = { ...sampleCheck(), attempts: [attempt] };
    const extended = { ...sampleCheck(), extendedMs: 60_000 };
    const line = (report: Partial<Report>): string | undefined => {
      const { send, terminal } = setUp();
      send(started, ended({ ...sampleReport(), ...report }));
      return terminal.lines().find((text) => text.startsWith('machine'));
    };

    expect(line({ stalls, checks: [repeated, repeated, extended] })).toBe(
      'machine   2 stalls, 14.0 s together: 2 checks were repeated, 1 check got more time',
    );
    expect(line({ checks: [extended] })).toBe('machine   overloaded: 1 check got more time');
    // No check noticed it.
    expect(line({ stalls, checks: [sampleCheck()] })).toBeUndefined();
  });

  it('names leftovers and the error of the infrastructure', () => {
    const { send, text } = setUp();
    const error = {
      code: 'E_COMMAND',
      message: '`kind create cluster` exited with 1\nno space left',
      hint: 'Free some.',
    };
    const { run } = sampleReport();

    send(
      ended(
        sampleReport({
          checks: [],
          proofs: [],
          leftovers: ['container kp-worker'],
          run: { ...run, exitCode: 3, error },
        }),
      ),
    );

    expect(text()).toContain('! 1 leftover');
    expect(text()).toContain('GPU       scheduling only (capacity by status patch): 2 on kp-1a2b-worker3\n');
    expect(text()).toContain(
      '✗ E_COMMAND  `kind create cluster` exited with 1\n    no space left\n    fix       Free some.',
    );
    expect(text()).toContain('No verdict: infrastructure failed.');
  });
});

describe('phases without a terminal', () => {
  it('print a new stage immediately and an unchanged one every 15 s', async () => {
    const { send, clock, terminal } = setUp();

    send(
      { type: 'phase-started', name: 'cluster' },
      { type: 'phase-progress', name: 'cluster', text: 'building kubelet (1 of 7)' },
    );
    await clock.advance(5000);
    send({ type: 'phase-progress', name: 'cluster', text: 'building kubelet (2 of 7)' });
    await clock.advance(25_000);
    send(
      { type: 'phase-progress', name: 'cluster', text: 'starting nodes' },
      { type: 'phase-ended', name: 'cluster', durationMs: 30_000, status: 'passed' },
    );
    await clock.advance(60_000);

    expect(terminal.lines()).toEqual([
      '… cluster',
      '… cluster  0.0 s  building kubelet (1 of 7)',
      '… cluster  15.0 s  building kubelet (2 of 7)',
      '… cluster  30.0 s  building kubelet (2 of 7)',
      '✓ cluster  30.0 s',
    ]);
  });

  it('are not flooded by the raw output of a tool', async () => {
    const { send, clock, terminal } = setUp();

    send({ type: 'phase-started', name: 'images' });
    for (const letter of 'abcdefghijklmnopqrst') {
      send({ type: 'phase-progress', name: 'images', text: `compiling ${letter}` });
      await clock.advance(100);
    }

    expect(terminal.lines().length).toBeLessThanOrEqual(4);
  });
});

describe('phases at a terminal', () => {
  it('are redrawn in place below the lines that stay', async () => {
    const { send, clock, terminal } = setUp({ isTty: true, columns: 60 });

    send(
      { type: 'phase-started', name: 'cluster' },
      { type: 'phase-started', name: 'images' },
      { type: 'phase-progress', name: 'cluster', text: `building ${'x'.repeat(100)}` },
    );
    await clock.advance(12_000);
    const during = terminal.lines();
    send({ type: 'phase-ended', name: 'images', durationMs: 12_000, status: 'passed' });
    const after = terminal.lines();

    expect(during.map((line) => line.slice(2))).toEqual([
      expect.stringMatching(/^cluster {2}12 s {2}building x+…$/),
      'images  12 s',
    ]);
    expect(Math.max(...during.map(widthOf))).toBeLessThan(60);
    expect(after).toEqual(['✓ images  12.0 s', expect.stringContaining('cluster  12 s')]);
  });

  it('hide the cursor while they run, and redraw without flicker', async () => {
    const { send, clock, terminal } = setUp({ isTty: true });

    send({ type: 'phase-started', name: 'cluster' });
    await clock.advance(200);
    const during = terminal.cursorIsVisible();
    send({ type: 'phase-ended', name: 'cluster', durationMs: 200, status: 'passed' });

    expect([during, terminal.cursorIsVisible()]).toEqual([false, true]);
    expect(terminal.raw().split('\u001b[?2026h')).toHaveLength(terminal.raw().split('\u001b[?2026l').length);
  });

  it('restore the cursor when the reporter is closed, or the process exits, in the middle', () => {
    const closed = setUp({ isTty: true });
    const before = process.listeners('exit');
    const lost = setUp({ isTty: true });

    closed.send({ type: 'phase-started', name: 'cluster' });
    lost.send({ type: 'phase-started', name: 'cluster' });
    closed.reporter.close?.();
    for (const listener of process.listeners('exit')) if (!before.includes(listener)) listener(1);

    expect([closed.terminal.cursorIsVisible(), lost.terminal.cursorIsVisible()]).toEqual([true, true]);
    lost.reporter.close?.();
  });

  it('shows running checks until they end', async () => {
    const { send, clock, terminal } = setUp({ isTty: true });

    send({ type: 'check-started', suite: 'toolman', id: 'toolman/T-35', title: 'spreads its replicas' });
    await clock.advance(3000);
    const during = terminal.lines().at(-1);
    send(checkEnded());

    expect(during).toMatch(/T-35 {2}spreads its replicas {2}3 s$/);
    expect(terminal.lines().at(-1)).toMatch(/^✓ T-35/);
  });
});

describe('colours', () => {
  it('are closed on every line', () => {
    const { send, terminal } = setUp({ color: true, columns: 60 });

    send(started, checkEnded(sampleFailure()), ended(sampleReport()));

    for (const line of terminal.raw().split('\n')) {
      const codes = line
        .split('\u001b[')
        .slice(1)
        .map((part) => Number.parseInt(part, 10));
      const closing = codes.filter((code) => code === 22 || code === 39);
      expect(closing).toHaveLength(codes.length / 2);
    }
  });
});
