import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckFailure, DoesNotFit, InfrastructureError, UsageError } from '../../core/errors.ts';
import type { ChartSource, Rendered } from '../../kube/helm/types.ts';
import type { ManifestPatch } from '../../kube/manifests/patch.ts';
import { fakeCheck, fakeLab } from '../../testing/fake-lab.ts';
import { expect as counted } from './assertions.ts';
import type { CheckContext } from './check.ts';
import { executeCheck } from './execute-check.ts';

let chart = '';
beforeAll(async () => {
  chart = await mkdtemp(join(tmpdir(), 'kp-unit-chart-'));
  await writeFile(join(chart, 'values.yaml'), 'replicaCount: 3\n');
});
afterAll(() => rm(chart, { recursive: true }));

const PATCH: ManifestPatch = { target: { kind: 'Service' }, ops: [{ op: 'remove', path: '/spec/x' }] };
const rendered = (text: string): Rendered => ({
  objects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { text } }],
});
const nothingSelected = new UsageError('E_PATCH_TARGET', 'the patch of every Service selects nothing', {
  hint: 'The rendered objects are: ConfigMap c',
});

type Render = (source: ChartSource) => Rendered;

/** Runs a check on a chart that renders like this. */
async function run(
  render: Render,
  body: (context: CheckContext) => Promise<unknown>,
  set: readonly string[] = [],
) {
  const { lab } = fakeLab({
    helm: {
      render: (source) =>
        new Promise((resolve) => {
          resolve(render(source));
        }),
    },
    deps: { subject: { chart, values: [], set, patches: [], reference: false, images: [] } },
  });
  const check = fakeCheck('T-01', async (context) => {
    await body(context);
    counted(1).toBe(1);
  });
  return (await executeCheck(check, lab)).result;
}

/** Throws the error whenever something is changed. */
const refusesChanges =
  (error: Error): Render =>
  ({ patches = [], set }) => {
    if (patches.length + set.length > 0) throw error;
    return rendered('');
  };
const always =
  (error: Error): Render =>
  () => {
    throw error;
  };

describe('a check that changes the subject', () => {
  it.each<[string, Error, Parameters<CheckContext['lab']['render']>[0]]>([
    ['a patch without a target', nothingSelected, { patches: [PATCH] }],
    [
      'a patch that cannot be applied',
      new UsageError('E_PATCH', 'remove /spec/x cannot be applied'),
      { patches: [PATCH] },
    ],
    [
      'a value that the schema refuses',
      new UsageError('E_VALUES_SCHEMA', 'no replicaCount'),
      { set: ['replicaCount=1'] },
    ],
    [
      'values for plain manifests',
      new UsageError('E_VALUES', 'plain manifests take no values'),
      { set: ['replicaCount=1'] },
    ],
    [
      'a value that a template refuses',
      new UsageError('E_TEMPLATE', 'at least 2'),
      { set: ['replicaCount=1'] },
    ],
  ])('is not applicable with %s', async (_, error, options) => {
    for (const use of ['render', 'install'] as const) {
      const result = await run(refusesChanges(error), ({ lab }) => lab[use](options));
      expect(result).toMatchObject({
        status: 'not-applicable',
        reason: `what the check changes does not fit the subject: ${error.message}`,
      });
    }
  });

  it('is not applicable when its changes do not fit an upgrade', async () => {
    const result = await run(refusesChanges(nothingSelected), async ({ lab }) => {
      const release = await lab.install({ apply: false });
      await lab.upgrade(release, { patches: [PATCH] });
    });
    expect(result.status).toBe('not-applicable');
  });

  it.each<[string, Parameters<CheckContext['lab']['render']>[0]]>([
    ['changes nothing', {}],
    ['changes something', { patches: [PATCH] }],
  ])('fails for a subject that does not render by itself, when it %s', async (_, options) => {
    const broken = new UsageError('E_TEMPLATE', 'templates/a.yaml:1: nil pointer');
    const result = await run(always(broken), ({ lab }) => lab.render(options));
    expect(result).toMatchObject({ status: 'failed', reason: 'templates/a.yaml:1: nil pointer' });
  });

  it('does not fit a subject that needs its own values, when it asks for the chart alone', async () => {
    const needsValues: Render = ({ set }) => {
      if (set.length === 0) throw new UsageError('E_TEMPLATE', 'image is required');
      return rendered('');
    };
    const result = await run(needsValues, ({ lab }) => lab.render({ onlyChart: true }), ['image=x']);
    expect(result.status).toBe('not-applicable');
  });

  it('is errored when helm cannot run', async () => {
    const broken = new InfrastructureError('E_HELM', 'helm is gone');
    const result = await run(always(broken), ({ lab }) => lab.render({ patches: [PATCH] }));
    expect(result.status).toBe('errored');
  });
});

describe('a value of a check', () => {
  let random = 0;
  const usesReplicas: Render = ({ set }) => rendered(set.includes('replicas=1') ? '1' : '3');
  const ignoresAll: Render = () => rendered('3');
  const isRandom: Render = ({ set }) => ({
    objects: [...rendered(String((random += 1))).objects, ...usesReplicas({ set } as ChartSource).objects],
  });
  const isRandomOnly: Render = () => rendered(String((random += 1)));

  it.each<[string, Render, string, string]>([
    ['that the chart declares fits', ignoresAll, 'replicaCount=3', 'passed'],
    ['that a template uses without declaring it fits', usesReplicas, 'replicas=1', 'passed'],
    ['that nothing uses does not fit', ignoresAll, 'replicas=1', 'not-applicable'],
    ['that a template uses beside a random one fits', isRandom, 'replicas=1', 'passed'],
    ['that changes nothing beside a random one does not fit', isRandomOnly, 'replicas=1', 'not-applicable'],
  ])('%s', async (_, render, pair, status) => {
    const result = await run(render, ({ lab }) => lab.render({ set: [pair] }));
    const reason = status === 'passed' ? undefined : `the chart ignores what the check sets: ${pair}`;
    expect([result.status, result.reason]).toEqual([status, reason]);
  });

  it('does not fit a value of another form', async () => {
    const result = await run(usesReplicas, ({ lab }) => lab.render({ set: ['replicaCount.least=1'] }));
    expect(result).toMatchObject({
      status: 'not-applicable',
      reason: 'the value replicaCount of the chart is a single one, and the check sets replicaCount.least',
    });
  });

  it('fits when the user sets it, too', async () => {
    const result = await run(ignoresAll, ({ lab }) => lab.render({ set: ['replicas=1'] }), ['replicas=2']);
    expect(result.status).toBe('passed');
  });

  it('is compared without patches, which may undo it', async () => {
    const render: Render = ({ patches = [], ...source }) =>
      patches.length > 0 ? rendered('5') : usesReplicas(source);
    const result = await run(render, ({ lab }) => lab.render({ set: ['replicas=1'], patches: [PATCH] }));
    expect(result.status).toBe('passed');
  });
});

describe('a refusal that a check asks for', () => {
  const refusal = (render: Render) =>
    run(render, async ({ lab, observe }) => {
      observe((await lab.refusal({ set: ['replicaCount=0'] }))?.message ?? 'it renders');
    });

  it.each(['E_TEMPLATE', 'E_VALUES_SCHEMA'] as const)('is returned: %s', async (code) => {
    const { observed } = await refusal(refusesChanges(new UsageError(code, 'at least 1')));
    expect(observed).toEqual(['at least 1']);
  });

  it('is undefined when the subject renders', async () => {
    expect((await refusal(() => rendered(''))).observed).toEqual(['it renders']);
  });

  it('is none when the subject takes no values at all', async () => {
    const result = await refusal(
      refusesChanges(new UsageError('E_VALUES', 'plain manifests take no values')),
    );
    expect(result.status).toBe('not-applicable');
  });
});

it('a release whose environment does not fit the subject is not applicable, with the reason', async () => {
  const { lab } = fakeLab({
    helm: {
      render: ({ patches = [] }) =>
        patches.length > 0 ? Promise.reject(nothingSelected) : Promise.resolve(rendered('')),
    },
    deps: { environment: () => Promise.resolve({ prepare: () => Promise.resolve({ patches: [PATCH] }) }) },
  });
  for (const id of ['T-01', 'T-02']) {
    const { result } = await executeCheck(
      fakeCheck(id, () => {}, { release: 'shared' }),
      lab,
    );
    expect(result).toMatchObject({ status: 'not-applicable' });
  }
});

it('what does not fit is no CheckFailure, which would be red', () => {
  expect(new DoesNotFit('x')).not.toBeInstanceOf(CheckFailure);
});
