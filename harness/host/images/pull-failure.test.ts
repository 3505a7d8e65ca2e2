import { describe, expect, it } from 'vitest';
import { baseImageFailure, pullError, pullHint, pullProblemOf } from './pull-failure.ts';

describe('pullProblemOf', () => {
  it.each([
    ['refused', 'Head "https://registry-1.docker.io/v2/me/app/manifests/1": no basic auth credentials'],
    [
      'refused',
      "pull access denied for me/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    ],
    [
      'refused',
      'failed to resolve reference "ghcr.io/me/app:1": unexpected status from HEAD request: 403 Forbidden',
    ],
    ['missing', 'manifest for me/app:2 not found: manifest unknown: manifest unknown'],
    ['missing', 'docker.io/me/app:2: not found'],
    ['busy', 'toomanyrequests: You have reached your unauthenticated pull rate limit.'],
    ['busy', 'received unexpected HTTP status: 503 Service Unavailable'],
    ['busy', 'download failed after attempts=6: unexpected EOF'],
    ['busy', 'read tcp 10.0.0.1:4->10.0.0.2:443: read: connection reset by peer'],
    ['corrupt', `filesystem layer verification failed for digest sha256:${'4'.repeat(64)}`],
    [
      'corrupt',
      `failed commit on ref "layer-sha256:${'1'.repeat(64)}": unexpected commit digest sha256:${'2'.repeat(64)}`,
    ],
    [
      'unreachable',
      'Get "https://registry.invalid/v2/": dial tcp: lookup registry.invalid on 10.0.0.53:53: no such host',
    ],
    ['unreachable', 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused'],
    [
      'unreachable',
      'Get "https://registry-1.docker.io/v2/": http: server gave HTTP response to HTTPS client',
    ],
    ['unreachable', "error unmarshalling content: invalid character '<' looking for beginning of value"],
    ['unreachable', 'tls: failed to verify certificate: x509: certificate signed by unknown authority'],
    ['other', 'no matching manifest for linux/arm64/v8 in the manifest list entries'],
    ['other', 'write /var/lib/docker/tmp/x: no space left on device'],
  ])('%s: %s', (problem, message) => {
    expect(pullProblemOf(message)).toBe(problem);
  });
});

it.each([
  ['ghcr.io/me/app:1', 'docker login ghcr.io'],
  ['127.0.0.1:5000/app:1', 'docker login 127.0.0.1:5000'],
  ['me/app:1', 'docker login docker.io'],
  ['app', 'docker login docker.io'],
])('the hint for %s is about its registry', (ref, hint) => {
  expect(pullHint(ref, 'refused')).toContain(hint);
});

it.each([
  ['refused', 'E_IMAGE_REFUSED'],
  ['corrupt', 'E_IMAGE_CORRUPT'],
  ['busy', 'E_IMAGE_PULL'],
] as const)('an image that is %s never counts against the subject', (problem, code) => {
  expect(pullError('me/app:1', { problem, reason: 'r' })).toMatchObject({
    code,
    exitCode: 3,
    message: 'image me/app:1 cannot be pulled: r',
  });
});

describe('baseImageFailure', () => {
  it('reads what BuildKit prints last', () => {
    const reason =
      'busybox:1.35.0: failed to resolve source metadata for docker.io/library/busybox:1.35.0: unexpected status from HEAD request to https://registry-1.docker.io/v2/library/busybox/manifests/1.35.0: 503 Service Unavailable';
    const output = `#2 ERROR: unexpected status\n------\nERROR: failed to solve: ${reason}\n`;
    expect(baseImageFailure(output)).toEqual({ ref: 'busybox:1.35.0', problem: 'busy', reason });
  });

  it('is undefined when a command of the Dockerfile failed', () => {
    const output =
      'ERROR: failed to solve: process "/bin/sh -c go build" did not complete successfully: exit code: 1';
    expect(baseImageFailure(output)).toBeUndefined();
  });
});
