import { describe, expect, it } from 'vitest';
import { sampleContainer, sampleDeployment } from '../../../testing/sample-objects.ts';
import { securityContextIs } from './security.ts';

describe('securityContextIs', () => {
  it('puts the context of the container over the context of the pod', () => {
    const deployment = sampleDeployment({
      securityContext: { runAsNonRoot: true, runAsUser: 1001 },
      containers: [
        sampleContainer({ securityContext: { runAsUser: 0, capabilities: { drop: ['B', 'A'] } } }),
      ],
    });
    const capabilities = { drop: ['A', 'B'] };
    expect(securityContextIs(deployment, 'web', { runAsNonRoot: true, capabilities }).ok).toBe(true);
    expect(securityContextIs(deployment, 'web', { runAsUser: 1001 })).toMatchObject({
      ok: false,
      details: ['runAsUser is 0 instead of 1001'],
    });
  });

  it('reports a missing field', () => {
    expect(securityContextIs(sampleDeployment(), 'web', { capabilities: { drop: ['ALL'] } }).details).toEqual(
      ['capabilities is not set instead of {"drop":["ALL"]}'],
    );
  });

  it('does not hold without the container or without an expected field', () => {
    expect(securityContextIs(sampleDeployment(), 'nope', { runAsUser: 1 }).ok).toBe(false);
    expect(securityContextIs(sampleDeployment(), 'web', {}).ok).toBe(false);
  });
});
