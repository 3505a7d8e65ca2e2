import { describe, expect, it } from 'vitest';
import { sampleDeployment } from '../../../testing/sample-objects.ts';
import { probeSettings, type ProbeExpectation } from './probes.ts';

describe('probeSettings', () => {
  it.each<[string, ProbeExpectation, string[]]>([
    ['written settings', { path: '/health', port: 'http', initialDelaySeconds: 30 }, []],
    ['default settings', { periodSeconds: 10, failureThreshold: 3 }, []],
    ['another path', { path: '/healthz' }, ['path is /health instead of /healthz']],
    ['a port number instead of its name', { port: 3000 }, ['port is http instead of 3000']],
  ])('compares %s', (_title, wanted, details) => {
    expect(probeSettings(sampleDeployment(), 'web', 'livenessProbe', wanted)).toMatchObject({
      ok: details.length === 0,
      details,
    });
  });

  it.each<[string, string, 'startupProbe' | 'livenessProbe', ProbeExpectation, RegExp]>([
    ['a missing probe', 'web', 'startupProbe', { path: '/' }, /has no startupProbe/],
    ['a missing container', 'x', 'livenessProbe', { path: '/' }, /selected nothing/],
    ['no expected setting', 'web', 'livenessProbe', {}, /selected nothing/],
  ])('does not hold for %s', (_title, container, probe, wanted, actual) => {
    expect(probeSettings(sampleDeployment(), container, probe, wanted)).toMatchObject({
      ok: false,
      actual: expect.stringMatching(actual) as string,
    });
  });
});
