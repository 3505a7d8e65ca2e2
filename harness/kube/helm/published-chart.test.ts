import { describe, expect, it } from 'vitest';
import type { CommandResult } from '../../core/command.ts';
import {
  checkReference,
  parsePulled,
  pullArguments,
  pullFailure,
  registryConfig,
} from './published-chart.ts';

const CHART = 'oci://ghcr.io/me/charts/toolman';
const DIGEST = `sha256:${'a'.repeat(64)}`;

const printed = (stderr: string): CommandResult => ({
  ...{ command: 'helm pull', exitCode: 1, stdout: '', stderr, durationMs: 1 },
});

describe('checkReference', () => {
  it.each([CHART, 'oci://localhost:5000/toolman', 'oci://127.0.0.1:5000/a/b-c/d_e', 'oci://[::1]:5000/a'])(
    'accepts %s',
    (chart) => {
      expect(() => {
        checkReference(chart);
      }).not.toThrow();
    },
  );

  it.each([
    ['oci://ghcr.io', 'oci://HOST/REPOSITORY/CHART'],
    ['oci:///charts/a', 'oci://HOST/REPOSITORY/CHART'],
    ['oci://ghcr.io/Charts/A', 'oci://HOST/REPOSITORY/CHART'],
    ['oci://ghcr.io/a/../b', 'oci://HOST/REPOSITORY/CHART'],
    [`${CHART}:1.4.0`, `--chart ${CHART} --chart-version 1.4.0`],
    [`${CHART}@${DIGEST}`, `--chart ${CHART} --chart-version VERSION`],
  ])('rejects %s', (chart, hint) => {
    expect(() => {
      checkReference(chart);
    }).toThrow(
      expect.objectContaining({ code: 'E_CHART', exitCode: 2, hint: expect.stringContaining(hint) }),
    );
  });
});

it.each([
  [CHART, false],
  ['oci://localhost:5000/a', true],
  ['oci://127.0.0.1:5000/a', true],
  ['oci://[::1]/a', true],
  ['oci://localhost.example/a', false],
  ['oci://127.example/a', false],
])('pulls %s over plain HTTP: %s', (chart, isPlain) => {
  const args = pullArguments(chart, '1.0.0', '/f');
  expect(args.includes('--plain-http')).toBe(isPlain);
  expect(args.join(' ')).toContain(`pull ${chart} --version 1.0.0`);
});

it('reads tag and digest, and writes the plus sign of a version', () => {
  const stdout = `Pulled: ghcr.io/me/charts/toolman:1.4.0_build.7\nDigest: ${DIGEST}\n`;
  expect(parsePulled(CHART, { ...printed(''), stdout })).toEqual({
    reference: CHART,
    version: '1.4.0+build.7',
    digest: DIGEST,
  });
  expect(() => parsePulled(CHART, printed('?'))).toThrow(
    expect.objectContaining({ code: 'E_HELM', exitCode: 3 }),
  );
});

it.each([
  [{ HELM_REGISTRY_CONFIG: '/r.json' }, '/r.json'],
  [{ HELM_CONFIG_HOME: '/c' }, '/c/registry/config.json'],
  [{ HOME: '/h', XDG_CONFIG_HOME: '/x' }, '/x/helm/registry/config.json'],
])('finds the credentials of the user with %j', (env, file) => {
  expect(registryConfig(env)).toBe(file);
});

describe('pullFailure', () => {
  it.each([
    [
      2,
      'E_CHART',
      'does not exist',
      'Error: failed to perform "FetchReference" on source: ghcr.io/me/charts/toolman:9: not found',
    ],
    [
      2,
      'E_CHART',
      'does not exist',
      'Error: GET "https://ghcr.io/v2/a/tags/list": response status code 404: name unknown: x',
    ],
    [
      2,
      'E_CHART',
      'is refused',
      'Error: GET "https://ghcr.io/v2/a/manifests/1": response status code 401: unauthorized: x',
    ],
    [
      2,
      'E_CHART',
      'is refused',
      'Error: GET "https://ghcr.io/v2/a/manifests/1": response status code 403: denied: x',
    ],
    [
      2,
      'E_CHART',
      'is not a chart',
      'Error: manifest does not contain minimum number of descriptors (2), descriptors found: 0',
    ],
    [
      3,
      'E_CHART_PULL',
      'cannot be pulled',
      'Error: GET "https://ghcr.io/v2/a": response status code 429: toomanyrequests: x',
    ],
    [
      3,
      'E_CHART_PULL',
      'cannot be pulled',
      `Error: read failed: expected content size of 9, got 4, for digest ${DIGEST}: unexpected EOF`,
    ],
    [
      3,
      'E_CHART_PULL',
      'cannot be pulled',
      'Error: Get "https://x.invalid/v2/": dial tcp: lookup x.invalid: no such host',
    ],
    [
      3,
      'E_CHART_CORRUPT',
      'is not what its digest promises',
      `Error: failed to perform "Push" on destination: mismatch digest`,
    ],
  ])('exit code %i, %s: %s', (exitCode, code, message, stderr) => {
    const failure = pullFailure(CHART, '9', printed(`${stderr}\n`));
    expect(failure).toMatchObject({ exitCode, code, hint: expect.stringMatching(/\S/) as string });
    expect(failure.message).toContain(`chart ${CHART} 9 ${message}`);
    expect(failure.message).not.toContain('Error:');
  });
});
