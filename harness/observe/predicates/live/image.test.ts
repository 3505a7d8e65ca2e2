import { describe, expect, it } from 'vitest';
import { makePod } from '../../../testing/sample-world.ts';
import { imageIdMatches } from './image.ts';

describe('imageIdMatches', () => {
  const pod = makePod({ statuses: [{ imageID: 'docker.io/library/web@sha256:abc' }] });
  it.each([
    ['app', 'sha256:abc', true],
    ['app', ['sha256:def', 'sha256:abc'], true],
    ['app', 'sha256:def', false],
    ['other', 'sha256:abc', false],
  ])('%s %j', (container, digest, ok) => {
    expect(imageIdMatches([pod], container, digest).ok).toBe(ok);
  });

  it('names the pull policy that replaces the image of the node', () => {
    const always = makePod({
      spec: { containers: [{ name: 'app', image: 'web:1', imagePullPolicy: 'Always' }] },
      statuses: [{ imageID: 'docker.io/library/web@sha256:abc' }],
    });
    expect(imageIdMatches([always], 'app', 'sha256:def').details?.[0]).toMatch(/its pull policy is Always/);
  });
});
