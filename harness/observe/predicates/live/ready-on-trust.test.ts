import { expect, it } from 'vitest';
import { makePod } from '../../../testing/sample-world.ts';
import { isReadyOnTrust, TRUST_MS } from './ready-on-trust.ts';

const NOW = Date.parse('2026-03-01T12:00:10Z');
const probed = { readinessProbe: { httpGet: { path: '/', port: 80 } } };

it.each([
  ['has just started', {}, NOW - 1000, true],
  ['has run for a while', {}, NOW - TRUST_MS, false],
  ['is judged by a readiness probe', probed, NOW - 1000, false],
  ['does not run', {}, undefined, false],
])('a container that %s', (_title, probes, since, expected) => {
  const state = since === undefined ? {} : { running: { startedAt: new Date(since).toISOString() } };
  const pod = makePod({
    spec: { containers: [{ name: 'app', image: 'web:1', ...probes }] },
    statuses: [{ state, ready: true }],
  });
  expect(isReadyOnTrust(pod, NOW)).toBe(expected);
});
