import { describe, expect, it } from 'vitest';
import { isExposition } from './exposition.ts';

const headers = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };
const body = [
  '# HELP http_requests_total Requests.',
  '# TYPE http_requests_total counter',
  'http_requests_total{method="GET",path="/a b"} 1027',
  'process_cpu_seconds_total 1.5e-03',
  'up NaN 1395066363000',
  '',
].join('\n');

describe('isExposition', () => {
  it.each<[string, Partial<{ status: number; headers: Record<string, string>; body: string }>, boolean]>([
    ['text', {}, true],
    ['OpenMetrics', { headers: { 'content-type': 'application/openmetrics-text; version=1.0.0' } }, true],
    ['not found', { status: 404 }, false],
    ['JSON', { headers: { 'content-type': 'application/json' }, body: '{"up":1}' }, false],
    ['JSON with content type text', { body: '{"up":1}' }, false],
    ['comments only', { body: '# HELP a b\n' }, false],
    ['an empty body', { body: '' }, false],
  ])('%s', (_title, changes, ok) => {
    expect(isExposition({ status: 200, headers, body, ...changes }, '/metrics').ok).toBe(ok);
  });
});
