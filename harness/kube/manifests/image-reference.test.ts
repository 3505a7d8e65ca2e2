import { describe, expect, it } from 'vitest';
import { canonicalImageRef } from './image-reference.ts';

describe('canonicalImageRef', () => {
  it.each([
    ['app', 'docker.io/library/app:latest'],
    ['app:v1', 'docker.io/library/app:v1'],
    ['team/app:v1', 'docker.io/team/app:v1'],
    ['ghcr.io/team/app:v1', 'ghcr.io/team/app:v1'],
    ['localhost/app', 'localhost/app:latest'],
    ['registry:5000/app', 'registry:5000/app:latest'],
    ['app@sha256:aa', 'docker.io/library/app@sha256:aa'],
  ])('expands %s to %s', (ref, expected) => {
    expect(canonicalImageRef(ref)).toBe(expected);
  });
});
