import { describe, expect, it } from 'vitest';
import type { Clock } from '../../core/deadline.ts';
import type { RunEvent } from './events.ts';
import type { Report } from './model.ts';
import {
  sampleCheck,
  sampleFailure,
  sampleProof,
  sampleReport,
  sampleSkip,
} from '../../testing/sample-report.ts';
import type { TerminalOptions } from './terminal.ts';
import { createTerminalObserver, wantsColor } from './terminal.ts';
import { createVirtualTerminal } from '../../testing/virtual-terminal.ts';
import { widthOf } from './text.ts';

/** Time passes only when a test says so. */
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
  const observer = createTerminalObserver({
    stream: terminal,
    isTty: false,
    color: false,
    columns: 110,
    clock,
    cwd: '/project',
    ...options,
  });
  const send = (...events: RunEvent[]) => {
    for (const event of events) observer.onEvent(event);
  };
  return { terminal, clock, observer, send, text: () => terminal.lines().join('\n') };
}

const started: RunEvent = {
  type: 'run-started',
  runId: '20260302-1a2b',
  directory: '/project/runs/20260302-1a2b',
  command: 'npm run e2e',
  plan: [],
};
const ended = (report: Report): RunEvent => ({ type: 'run-ended', report, directory: '/project/runs/x' });
const checkEnded = (check = sampleCheck()): RunEvent => ({
  type: 'check-ended',
  check,
  suite: check.suite,
  rerun: `npm run e2e -- --requirement ${check.requirements.join(' ')} --reuse`,
});

describe('a failure', () => {
  it('looks as designed', () => {
    const { send, text } = setUp();

    send(started, checkEnded(sampleFailure()));

    expect(text().split('\n').slice(4).join('\n')).toMatchInlineSnapshot(`
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
          timeline  +0.0 s created · +0.4 s FailedScheduling ×3 · +61.0 s PersistentVolumeClaim data bound ·
                      +90.0 s deadline
          see       runs/20260302-1a2b/toolman/T-28/    again: npm run e2e -- --requirement T-28 --reuse"
    `);
  });

  it('stays within a narrow terminal, except for what is meant to be copied', () => {
    const { send, terminal } = setUp({ columns: 50 });

    send(started, checkEnded(sampleFailure()));

    const wide = terminal.lines().filter((line) => widthOf(line) > 50 && !/^ +(see|again) /.test(line));
    expect(wide).toEqual([]);
  });

  it('keeps the lines of a reason indented and lets no tool move the cursor', () => {
    const { send, terminal, text } = setUp();
    const check = sampleFailure({ reason: 'helm failed:\n\u001b[2JError: no\rmatches' });
    delete check.diagnosis;

    send(checkEnded(check));

    expect(text()).toContain('✗ T-28  helm failed:\n    Error: no\n    matches');
    expect(terminal.raw()).not.toContain('\u001b');
  });

  it('puts long state changes on lines of their own and shows the last ones', () => {
    const { send, text } = setUp();
    const check = sampleFailure();
    const timeline = Array.from({ length: 20 }, (_, index) => ({
      afterMs: index * 1000,
      text: `toolman-7c9d-x2l4: Unhealthy: Readiness probe failed: attempt ${index}`,
    }));

    send(checkEnded({ ...check, diagnosis: { ...check.diagnosis!, timeline } }));

    expect(text()).toMatch(/timeline {2}… 12 earlier\n +\+12\.0 s {2}toolman-7c9d-x2l4: Unhealthy/);
    expect(text()).toContain('attempt 19');
  });
});

describe('checks and proofs', () => {
  it('are one line each under the name of their suite', () => {
    const { send, text } = setUp();

    send(
      checkEnded(),
      checkEnded(sampleSkip()),
      checkEnded(sampleCheck({ id: 'tool-registry/R-07', suite: 'tool-registry' })),
      { type: 'proof-ended', proof: sampleProof({ outcome: 'missed', reason: 'T-28 passed' }) },
    );

    expect(text()).toMatchInlineSnapshot(`
      "
      toolman
      ✓ T-35  spreads its replicas over the nodes  0.3 s
      ○ T-52  denies traffic from other namespaces  skipped
          the cluster does not enforce NetworkPolicy: a pod reached a deny-all namespace

      tool-registry
      ✓ R-07  spreads its replicas over the nodes  0.3 s

      toolman under faults
      ✗ single-replica  T-28, T-35  missed  12.3 s
          T-28 passed"
    `);
  });

  it('say what was observed when asked to be verbose', () => {
    const { send, text } = setUp({ verbose: true });

    send(checkEnded());

    expect(text()).toContain('0.3 s\n    3 pods on 3 nodes');
  });
});

describe('the end', () => {
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
    const { send, observer, terminal } = setUp({ isTty: true, color: true });

    send(started, { type: 'phase-started', name: 'cluster' }, ended(sampleReport(parts)));
    observer.close?.();

    expect(terminal.lines().at(-1)).toBe(expected);
    expect(terminal.raw().endsWith(`\n${expected}\n`)).toBe(true);
  });

  it('says the counts again when something was said after them', () => {
    const { send, observer, terminal } = setUp();

    send(ended(sampleReport()), { type: 'notice', level: 'info', text: 'the cluster is kept' });
    observer.close?.();

    expect(terminal.lines().at(-1)).toBe('4 passed, 3 failed, 1 skipped');
  });

  it('repeats failures that have scrolled away, and only those', () => {
    const report = sampleReport({ checks: [sampleFailure(), sampleCheck()], proofs: [] });
    const near = setUp();
    const far = setUp();

    near.send(checkEnded(sampleFailure()), ended(report));
    far.send(checkEnded(sampleFailure()), ...Array.from({ length: 12 }, () => checkEnded()), ended(report));

    const times = (text: string) => text.split('✗ T-28').length - 1;
    expect([times(near.text()), times(far.text())]).toEqual([1, 2]);
  });

  it('names leftovers and why the infrastructure failed', () => {
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

    expect(text()).toContain('! 1 thing left behind');
    expect(text()).toContain('GPU       scheduling only (capacity by status patch): 2 on kp-1a2b-worker3\n');
    expect(text()).toContain(
      '✗ E_COMMAND  `kind create cluster` exited with 1\n    no space left\n    fix       Free some.',
    );
    expect(text()).toContain('No verdict: infrastructure failed.');
  });
});

describe('phases without a terminal', () => {
  it('say a change of stage at once and a standstill every 15 s', async () => {
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
  it('are lines that are redrawn in place below what stays', async () => {
    const { send, clock, terminal } = setUp({ isTty: true, columns: 60 });

    send(
      { type: 'phase-started', name: 'cluster' },
      { type: 'phase-started', name: 'images' },
      { type: 'phase-progress', name: 'cluster', text: `building ${'x'.repeat(100)}` },
    );
    await clock.advance(12_000);
    const during = terminal.lines();
    send({ type: 'phase-ended', name: 'images', durationMs: 12_000, status: 'passed', text: '4 images' });
    const after = terminal.lines();

    expect(during.map((line) => line.slice(2))).toEqual([
      expect.stringMatching(/^cluster {2}12 s {2}building x+…$/),
      'images  12 s',
    ]);
    expect(Math.max(...during.map(widthOf))).toBeLessThan(60);
    expect(after).toEqual(['✓ images  12.0 s  4 images', expect.stringContaining('cluster  12 s')]);
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
  it.each([
    ['a terminal', {}, true, true],
    ['a terminal and NO_COLOR', { NO_COLOR: '1' }, true, false],
    ['a terminal and an empty NO_COLOR', { NO_COLOR: '' }, true, true],
    ['NO_COLOR and FORCE_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    ['a pipe', {}, false, false],
    ['a pipe and FORCE_COLOR', { FORCE_COLOR: '1' }, false, true],
    ['a dumb terminal', { TERM: 'dumb' }, true, false],
  ])('with %s', (_, env, isTty, expected) => {
    expect(wantsColor(env, isTty)).toBe(expected);
  });

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
