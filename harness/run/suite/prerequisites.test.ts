import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../core/deadline.ts';
import { ApiError } from '../../kube/api/errors.ts';
import type { KubeClient, ListOptions, ObjectRef } from '../../kube/api/client.ts';
import type { Pod } from '../../kube/api/types.ts';
import { fakeCheck, fakeLab, type FakeLab } from '../../testing/fake-lab.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { expect as counted } from './assertions.ts';
import type { CheckContext } from './check.ts';
import { executeCheck } from './execute-check.ts';

const manifest = (kind: string, name: string, apiVersion = 'v1'): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: ${name}}\n`;
const DATABASE = [manifest('Secret', 'login'), manifest('Deployment', 'db', 'apps/v1')].join('---\n');
const JOB = manifest('Job', 'seed', 'batch/v1');

/** Whether a workload is ready at its `look`-th look. */
type Ready = (kind: string, look: number) => boolean;

interface Made {
  ready?: Ready;
  kube?: Partial<KubeClient>;
  deps?: Parameters<typeof fakeLab>[0] extends infer O ? (O extends { deps?: infer D } ? D : never) : never;
}

/** A lab whose subject needs what the text says. Installs succeed. */
async function labWith(
  text: string,
  { ready = () => true, kube = {}, deps = {} }: Made = {},
): Promise<FakeLab> {
  const file = join(await temporaryFolder(), 'needs.yaml');
  await writeFile(file, text);
  let looks = 0;
  const made = fakeLab({
    helm: {
      install: (source) => Promise.resolve(void made.done.push(`install in ${source.namespace}`)) as never,
    },
    kube: {
      isNamespaced: ({ kind }: { kind: string }) => Promise.resolve(kind !== 'Cluster'),
      apply: (object, options) => {
        made.done.push(`apply ${object.kind} ${object.metadata.name} in ${options?.namespace ?? ''}`);
        return Promise.resolve(object);
      },
      get: ((kind: string, { name }: ObjectRef) => {
        const metadata = { name, generation: 1 };
        if (kind === 'ServiceAccount') return Promise.resolve({ kind, metadata });
        if (kind !== 'Deployment' && kind !== 'Job') return Promise.resolve(undefined);
        const isReady = ready(kind, (looks += 1));
        if (isReady) made.done.push(`${kind} ${name} is ready`);
        const status =
          kind === 'Job'
            ? {
                conditions: [
                  { type: isReady ? 'Complete' : 'Failed', status: 'True', message: 'exit code 1' },
                ],
              }
            : {
                observedGeneration: 1,
                ...{ replicas: 1, updatedReplicas: 1 },
                ...(isReady && { readyReplicas: 1, availableReplicas: 1 }),
              };
        return Promise.resolve({ kind, metadata, spec: { replicas: 1, template: { spec: {} } }, status });
      }) as KubeClient['get'],
      ...kube,
    } as Partial<KubeClient>,
    deps: {
      subject: {
        ...{ chart: 'chart', values: [], set: [], patches: [], reference: true, images: [] },
        prerequisites: [file],
      },
      ...deps,
    },
  });
  return made;
}

const installs = async ({ lab }: CheckContext): Promise<void> => {
  await lab.install({ rollout: false });
  counted(1).toBe(1);
};

it('are applied in their order, and are ready before the install', async () => {
  const { lab, done } = await labWith(`${DATABASE}---\n${JOB}`);
  const { result } = await executeCheck(fakeCheck('X-13', installs), lab);
  expect(result.status).toBe('passed');
  expect(done.filter((line) => !line.startsWith('create'))).toEqual([
    'apply Secret login in kp-id-app',
    'apply Deployment db in kp-id-app',
    'apply Job seed in kp-id-app',
    'Deployment db is ready',
    'Job seed is ready',
    'install in kp-id-app',
    'uninstall app',
    'delete Namespace kp-id-app',
  ]);
});

it('are applied once to a namespace with several releases, after what the environment prepares', async () => {
  let prepared = 0;
  const { lab, done } = await labWith(DATABASE, {
    deps: {
      environment: () =>
        Promise.resolve({
          prepare: () => Promise.resolve({ patches: [], number: (prepared += 1), before: done.length }),
        }),
    },
  });
  const check = fakeCheck('X-30', async (context) => {
    const { namespace } = await context.lab.install({ rollout: false });
    await context.lab.environment(namespace);
    await context.lab.install({ namespace, releaseName: 'two', rollout: false });
    counted(1).toBe(1);
  });
  expect((await executeCheck(check, lab)).result.status).toBe('passed');
  expect(prepared).toBe(1);
  expect(done.filter((line) => line.startsWith('apply Secret'))).toHaveLength(1);
});

it.each<[string, string, Made, RegExp]>([
  [
    'that does not become ready',
    JOB,
    { ready: () => false },
    /^prerequisite Job seed does not become ready: Failed after .*: it has failed: exit code 1/,
  ],
  [
    'that is never ready in time',
    DATABASE,
    { ready: () => false },
    /^prerequisite Deployment db does not become ready: 0 of 1 replica available after 10 min 00 s$/,
  ],
  [
    'that the API server refuses',
    DATABASE,
    { kube: { apply: () => Promise.reject(new ApiError('apply', 422, 'Invalid', 'spec is wrong')) } },
    /^prerequisite Secret login cannot be applied: apply: spec is wrong/,
  ],
  [
    'of a cluster-scoped kind of an operator',
    manifest('Cluster', 'db', 'example.com/v1'),
    {},
    /^prerequisite Cluster db cannot be applied: it is cluster-scoped/,
  ],
])('%s: the check is errored, not failed, and nothing is installed', async (_case, text, made, reason) => {
  const { lab, done } = await labWith(text, made);
  const { result } = await executeCheck(fakeCheck('X-13', installs), lab);
  expect(result).toMatchObject({
    status: 'errored',
    reason: expect.stringMatching(reason) as string,
    namespaces: ['kp-id-app'],
  });
  expect(done.some((line) => line.startsWith('install'))).toBe(false);
});

it.each<[string, boolean, string]>([
  ['does not count', false, 'passed'],
  ['does not excuse a check that hangs', true, 'failed'],
])('the time in which they start %s for the limit of a check', async (_case, hangs, status) => {
  // Real time: three looks, half a second apart.
  const ready: Ready = (_kind, look) => look > 2;
  const { lab } = await labWith(DATABASE, { ready, deps: { clock: systemClock } });
  const check = fakeCheck(
    'X-13',
    async (context) => {
      await installs(context);
      if (hangs) await new Promise(() => {});
    },
    { timeoutMs: 800 },
  );
  expect((await executeCheck(check, lab)).result.status).toBe(status);
});

it.each<[string, boolean, string]>([
  ['is in doubt when one of them was not ready meanwhile', true, 'errored'],
  ['is a failure when all of them were ready', false, 'failed'],
])('a red check %s', async (_case, lost, status) => {
  const podThat = (isReady: boolean, namespace: string | undefined): Pod =>
    ({
      ...{ apiVersion: 'v1', kind: 'Pod', spec: { containers: [] } },
      metadata: { name: 'db-1', namespace, uid: `in ${namespace ?? ''}`, ownerReferences: [{ uid: 'rs' }] },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
    }) as unknown as Pod;
  const { lab } = await labWith(DATABASE, {
    kube: {
      list: ((kind: string, { namespace }: ListOptions) =>
        Promise.resolve(kind === 'Pod' ? [podThat(true, namespace)] : [])) as KubeClient['list'],
      follow: ((kind: string, namespace: string, onEvent: (event: unknown) => void) => {
        for (const isReady of kind === 'Pod' ? [true, !lost, true] : [])
          onEvent({ type: 'MODIFIED', object: podThat(isReady, namespace), receivedAt: 1 });
        return { synced: Promise.resolve(), stop: () => Promise.resolve() };
      }) as KubeClient['follow'],
    },
  });
  const check = fakeCheck('X-16', async (context) => {
    await context.lab.install({ rollout: false });
    counted(1).toBe(2);
  });
  const { result } = await executeCheck(check, lab);
  expect(result.status).toBe(status);
  const doubted = /^prerequisite pod db-1 was not ready .*which may be why it failed/.test(
    result.reason ?? '',
  );
  expect(doubted).toBe(lost);
});
