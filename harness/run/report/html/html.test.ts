import { describe, expect, it } from 'vitest';
import { toHtml } from './html.ts';
import { checksIn, including, mentions, packed } from './check-spans.ts';
import { lanesOf } from './lanes.ts';
import type { CheckResult, PodTimeline, Report } from '../model.ts';
import {
  sampleCheck,
  sampleFailure,
  sampleMisfit,
  sampleReport,
  sampleWarning,
} from '../../../testing/sample-report.ts';

describe('report.html', () => {
  it('is one file that loads nothing, and a policy forbids loading', () => {
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

  it('lists warnings, and says of each check that is not applicable why', () => {
    const html = toHtml(
      sampleReport({ checks: [sampleCheck(), sampleWarning(), sampleMisfit()], proofs: [] }),
    );

    expect(html).toContain('<section id="warnings"');
    expect(html).toMatch(/<li><a href="#check-toolman-X-12">.*container toolman has no memory limit/s);
    expect(html).toContain('<p>Not applicable: the chart renders no Service</p>');
    expect(html).not.toContain('<section id="failures"');
    expect(toHtml(sampleReport({ checks: [sampleCheck()] }))).not.toContain('<section id="warnings"');
  });

  it('has failures with causes and evidence, linked from their requirements', () => {
    const html = toHtml(sampleReport());

    expect(html).toContain('<article class="failure" id="check-toolman-T-28">');
    expect(html).toContain('<b>Pod toolman-7c9d-x2l4</b> <span>is Pending: it was not scheduled</span>');
    expect(html).toContain('<a href="toolman/T-28/events.yaml">');
    expect(html).toContain('<a href="#check-toolman-T-28">keeps three replicas available</a>');
  });

  it('states the fidelity of the GPUs', () => {
    expect(toHtml(sampleReport())).toContain('<b>GPU</b>: scheduling only (capacity by status patch)');
  });

  it('escapes every text from outside, in every part of the page', () => {
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
    'makes no link that runs code or leaves the run directory: %s',
    (path) => {
      const html = toHtml(sampleReport({ checks: [sampleFailure({ artifacts: [path] })] }));

      expect(html).not.toContain(`href="${path}"`);
    },
  );
});

describe('the checks of a timeline', () => {
  it('link to their timelines, and the timelines to them', () => {
    const html = toHtml(sampleReport());

    const failure = html.slice(html.indexOf('<article class="failure"'), html.indexOf('</article>'));
    expect(failure).toContain('<a href="#timeline-kp-1a2b-toolman-2">');
    const figures = html.split('<details class="timeline"').slice(1);
    expect(figures[0]).toContain('<a href="#check-toolman-T-28">T-28 keeps three replicas available</a>');
    expect(figures[1]).toContain('shared release (2 checks)');
    expect(figures[1]).toContain('href="#check-toolman-T-12"');
    expect(figures[2]).toContain('fault single-replica');
  });

  it('are linked to existing elements, each with an id of its own', () => {
    const html = toHtml(sampleReport());

    const ids = [...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    const targets = [...html.matchAll(/href="#([^"]+)"/g)].map(([, target]) => target);
    expect(new Set(ids).size).toBe(ids.length);
    expect(targets.filter((target) => !ids.includes(target))).toEqual([]);
  });

  it('exclude blocked checks, which never ran on the release', () => {
    const blocked = sampleCheck({ id: 'toolman/T-1', status: 'blocked' });
    const shared = { ...sampleReport().timelines![0]!, checks: ['toolman/T-1', 'toolman/T-35'] };

    expect(checksIn(shared, [blocked, sampleCheck()]).map(({ id }) => id)).toEqual(['toolman/T-35']);
  });

  it('extend a timeline that ends before a check does', () => {
    const [, timeline] = sampleReport().timelines!;
    const failure = sampleFailure();

    const extended = including(timeline!, [failure]);

    expect(extended.endedAt).toBe(Date.parse(failure.startedAt) + failure.durationMs);
    expect(extended.startedAt).toBe(Date.parse(failure.startedAt));
  });

  it('are packed into rows without overlaps', () => {
    const spans = [
      { from: 0, to: 10 },
      { from: 5, to: 8 },
      { from: 9, to: 12 },
      { from: 11, to: 20 },
    ];

    expect(packed(spans, 1)).toEqual([
      [spans[0], spans[3]],
      [spans[1], spans[2]],
    ]);
  });

  it('mark the moments that the diagnosis of a failed check lists, by text and time', () => {
    const check = sampleFailure();
    const [, timeline] = sampleReport().timelines!;
    const marked = (subject: CheckResult) =>
      timeline!.moments
        .filter((moment) => mentions(subject, moment))
        .map((moment) => `${moment.pod} ${moment.kind} +${moment.at - Date.parse(check.startedAt)}`);

    expect(marked(check)).toEqual([
      'toolman-7c9d-x2l4 created +600',
      'toolman-7c9d-x2l4 event +1000',
      'toolman-7c9d-x2l4 event +5800',
      'toolman-7c9d-x2l4 event +31000',
      'toolman-7c9d-x2l4 event +65000',
      'toolman-7c9d-k8wq ready +12400',
      'toolman-7c9d-p0zz ready +13400',
    ]);
    expect(marked({ ...check, startedAt: '2026-03-02T22:00:00.000Z' })).toEqual([]);
    expect(marked({ ...check, status: 'passed' })).toEqual([]);
  });
});

describe('requirements', () => {
  it('have the worst result of their checks', () => {
    const result = (...statuses: CheckResult['status'][]) => {
      const html = toHtml(
        sampleReport({ checks: statuses.map((status) => sampleCheck({ status, requirements: ['T-35'] })) }),
      );
      return /<tr data-result="([^"]+)">\s*<td class="id">T-35/.exec(html)?.[1];
    };

    expect(result('passed')).toBe('passed');
    expect(result('passed', 'failed')).toBe('failed');
    expect(result('passed', 'skipped')).toBe('skipped');
    expect(result('blocked')).toBe('blocked');
    expect(result('passed', 'not-applicable')).toBe('not-applicable');
    expect(result('warning', 'passed')).toBe('warning');
    expect(result('not-applicable', 'failed')).toBe('failed');
    expect(result('errored', 'blocked')).toBe('errored');
    expect(result()).toBe('not-run');
  });
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
    lanesOf({
      suite: 's',
      namespace: 'n',
      title: 't',
      checks: [],
      startedAt: 1000,
      endedAt: 101_000,
      moments,
    }).map((lane) => [
      lane.container ?? lane.pod,
      ...lane.bands.map((band) => `${band.state} ${band.from / 1000}-${band.to / 1000}`),
      ...lane.markers.map((marker) => `${marker.shape} ${marker.at / 1000}`),
    ]);
  const app = { container: 'app' };

  it('are the states of the pod and of each container until the pod is deleted', () => {
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

  it('show an init container whose start and end arrived in one update', () => {
    const init = { container: 'init' };

    expect(
      lanes(moment(1, 'created'), moment(2, 'init-started', init), moment(2, 'init-finished', init))[1],
    ).toEqual(['init', 'init 2-2']);
  });

  it('show an OOM kill, a restart and warnings', () => {
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
