import { describe, expect, it } from 'vitest';
import { sampleDeployment } from '../../../testing/sample-objects.ts';
import { resourcesAre } from './resources.ts';

describe('resourcesAre', () => {
  it('compares quantities, not their spelling, in both directions', () => {
    const same = { requests: { cpu: '0.1', memory: '128Mi' }, limits: { cpu: '500m', memory: '0.5Gi' } };
    expect(resourcesAre(sampleDeployment(), 'web', same).ok).toBe(true);
    const other = { ...same, limits: { cpu: '1' } };
    expect(resourcesAre(sampleDeployment(), 'web', other)).toMatchObject({
      ok: false,
      details: ['limits.cpu is 500m instead of 1', 'limits.memory is 512Mi instead of not set'],
    });
    expect(resourcesAre(sampleDeployment(), 'nope', same)).toMatchObject({
      ok: false,
      actual: expect.stringContaining('selected nothing') as string,
    });
  });
});
