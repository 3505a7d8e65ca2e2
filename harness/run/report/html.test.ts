import { describe, expect, it } from 'vitest';
import { toHtml } from './html.ts';
import { lanesOf } from './html/lanes.ts';
import type { PodTimeline, Report } from './model.ts';
import { sampleCheck, sampleFailure, sampleReport } from '../../testing/sample-report.ts';

describe('report.html', () => {
  it('is one file: nothing is loaded, and a policy forbids it', () => {
    const html = toHtml(sampleReport());

    expect(html).not.toMatch(/<(link|img|iframe|object)\b|<script[^>]+src|url\(|@import/);
    expect(html).toMatch(/default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'/);
    expect(html).not.toMatch(/ (style|on\w+)="/);
  });

  it.each<[string, Partial<Report>, string]>([
    [
      'passed',
      { checks: [sampleCheck()], proofs: [], run: { ...sampleReport().run, exitCode: 0 } },
      'Passed',
    ],
    ['failed', { checks: [sampleFailure(), sampleCheck()], proofs: [] }, 'Failed: 1 of 2 checks'],
    [
      'broken',
      {
        checks: [],
        proofs: [],
        run: { ...sampleReport().run, exitCode: 3, error: { code: 'E_COMMAND', message: 'kind failed' } },
      },
      'No verdict: infrastructure failed',
    ],
  ])('begins with the verdict of a run that %s', (_, parts, headline) => {
    expect(toHtml(sampleReport(parts))).toContain(`<h1>${headline}</h1>`);
  });

  it('has failures with causes, evidence and the way there from the requirement', () => {
    const html = toHtml(sampleReport());

    expect(html).toContain('<article class="failure" id="check-toolman-T-28">');
    expect(html).toContain('<b>Pod toolman-7c9d-x2l4</b> <span>is Pending: it was not scheduled</span>');
    expect(html).toContain('<a href="toolman/T-28/events.yaml">');
    expect(html).toContain('<a href="#check-toolman-T-28">keeps three replicas available</a>');
  });

  it('says how faithful the GPUs are', () => {
    expect(toHtml(sampleReport())).toContain('<b>GPU</b>: scheduling only (capacity by status patch)');
  });

  it('escapes everything that comes from outside, in every part of the page', () => {
    const evil = `"><script>alert('x')</script><img src=x onerror=y>&`;
    const poison = (value: unknown): unknown => {
      if (typeof value === 'string') return value + evil;
      if (Array.isArray(value)) return value.map(poison);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, poison(item)]));
    };
    const sample = sampleReport({ leftovers: ['container'] });
    const poisoned = poison(sample) as Report;
    // What the schema restricts to certain words cannot carry anything.
    const report: Report = {
      ...poisoned,
      run: {
        ...poisoned.run,
        startedAt: sample.run.startedAt,
        error: { code: `E_X${evil}`, message: evil, hint: `a \`code${evil}\`` },
      },
      checks: poisoned.checks.map((check, index) => ({ ...check, status: sample.checks[index]!.status })),
      proofs: poisoned.proofs!.map((proof, index) => ({ ...proof, outcome: sample.proofs![index]!.outcome })),
      phases: poisoned.phases.map((phase, index) => ({
        ...sample.phases[index]!,
        name: phase.name,
      })),
      requirements: poisoned.requirements!.map((row, index) => ({
        ...row,
        status: sample.requirements![index]!.status,
      })),
    };

    const html = toHtml(report);

    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toMatch(/<img/);
  });

  it.each(['../../etc/passwd', '/etc/passwd', 'javascript:alert(1)'])(
    'makes no link that runs or leaves: %s',
    (path) => {
      const html = toHtml(sampleReport({ checks: [sampleFailure({ artifacts: [path] })] }));

      expect(html).not.toContain(`href="${path}"`);
    },
  );
});

describe('the lanes of a timeline', () => {
  const moment = (seconds: number, kind: string, more: Partial<PodTimeline['moments'][number]> = {}) => ({
    at: 1000 + seconds * 1000,
    pod: 'p',
    kind,
    text: kind,
    warning: false,
    ...more,
  });
  const lanes = (...moments: PodTimeline['moments']) =>
    lanesOf({ suite: 's', namespace: 'n', title: 't', startedAt: 1000, endedAt: 101_000, moments }).map(
      (lane) => [
        lane.container ?? lane.pod,
        ...lane.bands.map((band) => `${band.state} ${band.from / 1000}-${band.to / 1000}`),
        ...lane.markers.map((marker) => `${marker.shape} ${marker.at / 1000}`),
      ],
    );
  const app = { container: 'app' };

  it('are the states of the pod and of each container until the pod is gone', () => {
    expect(
      lanes(
        moment(0, 'created'),
        moment(1, 'scheduled'),
        moment(2, 'init-started', { container: 'init' }),
        moment(3, 'init-finished', { container: 'init' }),
        moment(4, 'started', app),
        moment(6, 'ready', app),
        moment(6, 'ready'),
        moment(20, 'deleting'),
        moment(21, 'terminated', { ...app, warning: true }),
        moment(22, 'deleted'),
      ),
    ).toEqual([
      ['p', 'pending 0-1', 'scheduled 1-6', 'ready 6-20', 'deleting 20-22'],
      ['init', 'init 2-3'],
      ['app', 'starting 4-6', 'ready 6-21', 'completed 21-22'],
    ]);
  });

  it('show an init container whose start and end came in one update', () => {
    const init = { container: 'init' };

    expect(
      lanes(moment(1, 'created'), moment(2, 'init-started', init), moment(2, 'init-finished', init))[1],
    ).toEqual(['init', 'init 2-2']);
  });

  it('show a death by memory, a restart and warnings', () => {
    expect(
      lanes(
        moment(0, 'created'),
        moment(1, 'started', app),
        moment(2, 'oom-killed', { ...app, warning: true }),
        moment(3, 'waiting', { ...app, warning: true }),
        moment(13, 'restarted', app),
        moment(14, 'event', { warning: true }),
      ),
    ).toEqual([
      ['p', 'pending 0-100', 'warning 14'],
      ['app', 'starting 1-2', 'failed 2-3', 'waiting 3-13', 'starting 13-100', 'oom 2', 'restart 13'],
    ]);
  });
});
