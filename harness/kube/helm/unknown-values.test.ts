import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { misshapenValues, unknownValues } from './unknown-values.ts';

let chart = '';
beforeAll(async () => {
  chart = await mkdtemp(join(tmpdir(), 'kp-unit-values-'));
  await writeFile(
    join(chart, 'values.yaml'),
    'replicaCount: 3\nnodeSelector: {}\ntolerations: []\naffinity:\nprobes: {liveness: {path: /}}\npod: {a.b: 1}\nhosts: [x]\n',
  );
  await writeFile(join(chart, 'more.yaml'), 'extra: {enabled: true}\n');
});
afterAll(() => rm(chart, { recursive: true }));

describe('unknownValues', () => {
  it.each([
    ['replicaCount=1', true],
    ['replicas=1', false],
    ['nodeSelector.workload-type=none', true],
    ['tolerations[0].key=x', true],
    ['affinity.podAntiAffinity=null', true],
    ['probes.liveness.path=/x', true],
    ['probes.liveness.port=1', false],
    ['probes.liveness.path.deeper=1', false],
    ['pod.a\\.b=2', true],
    ['hosts[0]=y', true],
    ['hosts[1]=y', false],
    ['extra.enabled=false', true],
    ['given.key=1', true],
    ['given.key.deeper=1', true],
    ['given.other=1', false],
  ])('%s is known: %s', async (pair, known) => {
    const subject = { chart, values: [join(chart, 'more.yaml')], set: ['given.key=x'] };
    expect(await unknownValues(subject, [pair])).toEqual(known ? [] : [pair]);
  });

  it('knows nothing of a chart that it cannot read', async () => {
    const subject = { chart: join(chart, 'app-1.0.0.tgz'), values: [], set: [] };
    expect(await unknownValues(subject, ['replicaCount=1'])).toEqual(['replicaCount=1']);
  });
});

describe('misshapenValues', () => {
  it.each([
    ['replicaCount=1', []],
    ['replicaCount.least=1', ['the value replicaCount of the chart is a single one']],
    ['tolerations.key=x', ['the value tolerations of the chart is a list']],
    ['tolerations[0].key=x', []],
    ['hosts[0]=y', []],
    ['hosts[1].name=y', []],
    ['hosts[0].name=y', ['the value hosts.0 of the chart is a single one']],
    ['nodeSelector.any=x', []],
    ['affinity.podAntiAffinity=x', []],
    ['probes.liveness=x', ['the value probes.liveness of the chart is a map']],
    ['unheard.of=x', []],
    // The values of the subject count more than those of the chart.
    ['extra.enabled.deeper=x', ['the value extra.enabled of the chart is a single one']],
  ])('%s', async (pair, says) => {
    const found = await misshapenValues({ chart, values: [join(chart, 'more.yaml')] }, [pair]);
    expect(found).toEqual(
      says.map((text) => `${text}, and the check sets ${found[0]?.split(' sets ')[1] ?? ''}`),
    );
  });
});
