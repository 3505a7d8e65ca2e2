import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../kube/api/types.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { expect as counted } from './assertions.ts';
import type { Fault, SuiteDefinition } from './definition.ts';
import { executeCheck } from './execute-check.ts';
import { fakeCheck, fakeLab } from '../../testing/fake-lab.ts';

const FILE = 'hpa.yaml';

/** A folder of manifests, beside which there are optional ones: an autoscaler with that many replicas. */
async function manifestsWith(maxReplicas?: number): Promise<string> {
  const folder = await temporaryFolder();
  if (maxReplicas !== undefined) {
    await mkdir(join(folder, 'optional'));
    const lines = ['apiVersion: autoscaling/v2', 'kind: HorizontalPodAutoscaler', 'metadata: {name: api}'];
    await writeFile(
      join(folder, 'optional', FILE),
      [...lines, `spec: {maxReplicas: ${maxReplicas}}`].join('\n'),
    );
  }
  return join(folder, 'base');
}

async function read(
  charts: { subject: string; reference: string },
  optional?: Fault['optional'],
): Promise<{ objects?: KubeObject[]; isOwn?: boolean; reason?: string | undefined }> {
  const fault: Fault = {
    name: 'f',
    description: '',
    requirements: ['T-01'],
    reason: /./,
    ...(optional && { optional }),
  };
  const subject = { chart: charts.subject, values: [], set: [], patches: [], reference: false, images: [] };
  const definition = { name: 'app', subject: { chart: charts.reference } } as unknown as SuiteDefinition;
  const seen: { objects?: KubeObject[]; isOwn?: boolean } = {};
  const check = fakeCheck('T-01', async ({ lab }) => {
    seen.objects = await lab.optional(FILE);
    seen.isOwn = await lab.hasOptional(FILE);
    counted(true).toBe(true);
  });
  const { result } = await executeCheck(check, fakeLab({ fault, deps: { subject, definition } }).lab);
  return { ...seen, reason: result.reason };
}

const maximumOf = ({ objects }: { objects?: KubeObject[] }): unknown =>
  (objects?.[0]?.['spec'] as { maxReplicas?: number } | undefined)?.maxReplicas;

describe('optional manifests', () => {
  it.each([
    ["are the subject's own", 5, 5],
    ['are those of the reference where the subject has none', undefined, 10],
  ])('%s', async (_, own, found) => {
    const charts = { subject: await manifestsWith(own), reference: await manifestsWith(10) };
    const seen = await read(charts);
    expect(maximumOf(seen)).toBe(found);
    expect(seen.isOwn).toBe(own !== undefined);
  });

  it('contain the defect of the fault', async () => {
    const charts = { subject: await manifestsWith(), reference: await manifestsWith(10) };
    const target = { kind: 'HorizontalPodAutoscaler' };
    const ops = [{ op: 'replace', path: '/spec/maxReplicas', value: 11 }] as const;
    expect(maximumOf(await read(charts, { [FILE]: [{ target, ops }] }))).toBe(11);
    expect(maximumOf(await read(charts, { 'ingress.yaml': [{ target, ops }] }))).toBe(10);
  });

  it('reject a fault that fits none of them', async () => {
    const charts = { subject: await manifestsWith(), reference: await manifestsWith(10) };
    const { objects, reason } = await read(charts, { [FILE]: [{ target: { kind: 'Ingress' }, ops: [] }] });
    expect(objects).toBeUndefined();
    expect(reason).toBe('the patch of every Ingress selects nothing');
  });
});
