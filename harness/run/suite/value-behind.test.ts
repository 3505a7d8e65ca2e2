import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { DoesNotFit, UsageError } from '../../core/errors.ts';
import { Lifecycle } from '../../core/lifecycle.ts';
import { silentLog } from '../../core/log.ts';
import type { KubeObject } from '../../kube/api/types.ts';
import { fakeLab } from '../../testing/fake-lab.ts';
import { Lab } from './lab.ts';
import { valueBehind } from './value-behind.ts';

const effect: Parameters<typeof valueBehind>[1] = {
  documented: 'replicaCount',
  sets: 'the replicas',
  read: ({ objects: [object] }) => object?.['replicas'],
  other: '1',
};

/** A lab with a chart that has these values, of which one sets the replicas of its object. */
function labWith(yaml: string, path: string, refused?: string): { lab: Lab; rendered: string[] } {
  const chart = mkdtempSync(join(tmpdir(), 'kp-unit-values-'));
  onTestFinished(() => {
    rmSync(chart, { recursive: true });
  });
  writeFileSync(join(chart, 'values.yaml'), yaml);
  const rendered: string[] = [];
  const { lab } = fakeLab({
    helm: {
      render: ({ set }) => {
        rendered.push(set.join(' '));
        if (set.some((pair) => pair.startsWith(`${refused ?? 'nothing'}=`)))
          return Promise.reject(new UsageError('E_VALUES_SCHEMA', 'the schema refuses it'));
        const pair = set.findLast((one) => one.startsWith(`${path}=`));
        const replicas = Number(pair?.split('=')[1] ?? 3);
        const object: KubeObject = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a' }, replicas };
        return Promise.resolve({ objects: [object] });
      },
    },
    deps: {
      subject: { chart, values: [], set: [], patches: [], reference: false, images: [] },
    },
  });
  return { lab: new Lab(lab, new Lifecycle(silentLog), 'app/T-46'), rendered };
}

it('is the documented one where the chart declares it', async () => {
  const { lab, rendered } = labWith('replicaCount: 3', 'replicaCount');
  expect(await valueBehind(lab, effect)).toBe('replicaCount');
  expect(rendered).toEqual([]);
});

it('is otherwise the one of the same value whose change has the effect', async () => {
  const yaml = 'probes: {threshold: 3, period: 5}\nhub: {copies: 3, "a.b": 3}';
  expect(await valueBehind(labWith(yaml, 'hub.copies').lab, effect)).toBe('hub.copies');
  expect(await valueBehind(labWith(yaml, 'hub.a\\.b').lab, effect)).toBe('hub.a\\.b');
});

it('passes over values that the chart refuses to change', async () => {
  const { lab } = labWith('first: 3\nsecond: 3', 'second', 'first');
  expect(await valueBehind(lab, effect)).toBe('second');
});

it('does not exist when no value has the effect', async () => {
  const { lab } = labWith('copies: 2\nthreshold: 3', 'copies');
  await expect(valueBehind(lab, effect)).rejects.toThrow(DoesNotFit);
});
