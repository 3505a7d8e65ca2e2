import { describe, expect, it } from 'vitest';
import { object, sampleSystem } from '../../../testing/sample-objects.ts';
import { apisServed } from './api-versions.ts';

const range = { oldest: '1.24', newest: 'v1.36.3' };

describe('apisServed', () => {
  it('holds for a valid system, and not without objects', () => {
    expect(apisServed(sampleSystem(), range)).toMatchObject({ ok: true });
    expect(apisServed([], range).ok).toBe(false);
  });

  it.each([
    ['apps/v1beta1', 'Deployment', 'Deployment x is of apps/v1beta1, which was removed in 1.16'],
    [
      'autoscaling/v2beta2',
      'HorizontalPodAutoscaler',
      'HorizontalPodAutoscaler x is of autoscaling/v2beta2, which was removed in 1.26',
    ],
    ['v1', 'Endpoints', 'Endpoints x is of v1, which is deprecated since 1.33'],
    [
      'admissionregistration.k8s.io/v1',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicy x is of admissionregistration.k8s.io/v1, which exists only since 1.30',
    ],
    [
      'resource.k8s.io/v1beta1',
      'ResourceClaim',
      'ResourceClaim x is of resource.k8s.io/v1beta1, which is not a stable version',
    ],
  ])('complains about %s %s', (apiVersion, kind, complaint) => {
    expect(apisServed([object(apiVersion, kind, 'x', {})], range).details).toEqual([complaint]);
  });

  it.each([
    ['monitoring.coreos.com/v1beta1', 'ServiceMonitor', range],
    ['autoscaling/v2beta2', 'HorizontalPodAutoscaler', { oldest: '1.20', newest: '1.22' }],
  ])('accepts %s %s', (apiVersion, kind, versions) => {
    expect(apisServed([object(apiVersion, kind, 'x', {})], versions).ok).toBe(true);
  });
});
