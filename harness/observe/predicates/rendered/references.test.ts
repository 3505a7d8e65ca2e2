import { describe, expect, it } from 'vitest';
import { checkReferences } from '../../../kube/manifests/references.ts';
import { sampleDeployment, sampleSystem } from '../../../testing/sample-objects.ts';
import { referencesResolve } from './references.ts';

describe('referencesResolve', () => {
  it('counts the references, and does not hold without any', async () => {
    expect(referencesResolve(await checkReferences(sampleSystem()))).toMatchObject({
      ok: true,
      actual: 'all 7 references resolve',
    });
    expect(referencesResolve(await checkReferences([]))).toMatchObject({ ok: false });
  });

  it('names every reference that does not resolve', async () => {
    const problem =
      'Deployment web /spec/template/spec/volumes/0/configMap/name: ConfigMap web-config is neither rendered';
    const result = referencesResolve(await checkReferences([sampleDeployment()]));
    expect(result).toMatchObject({ ok: false, details: [problem] });
    expect(result.actual).toMatch(/^1 of \d+ do not resolve: Deployment web /);
  });
});
