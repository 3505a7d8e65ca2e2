import { describe, expect, it } from 'vitest';
import type { KubeObject, Pod, Workload } from '../../kube/api/types.ts';
import { ago, makeDeployment, makePod, makeWorld, NOW } from '../../testing/sample-world.ts';
import { Recording } from '../recorder/recording.ts';
import { flattenChains } from './diagnose.ts';
import { explain } from './explain.ts';
import { withGone } from './gone.ts';
import type { World } from './world.ts';

const hook = {
  'helm.sh/hook': 'pre-install,pre-upgrade',
  'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded,hook-failed',
};
const job = (annotations: Record<string, string> = hook, condition = 'Failed'): Workload => ({
  ...makeDeployment({ name: 'preflight', kind: 'Job' }),
  metadata: { name: 'preflight', namespace: 'demo', uid: 'uid-preflight', annotations },
  status: { conditions: [{ type: condition, status: 'True', reason: 'BackoffLimitExceeded' }] },
});
const pod = (metadata: Partial<Pod['metadata']> = {}, exitCode = 3): Pod =>
  makePod({
    name: 'preflight-x',
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    owner: { kind: 'Job', name: 'preflight', uid: 'uid-preflight' },
    spec: { restartPolicy: 'Never' },
    metadata,
    statuses: [
      { name: 'preflight', state: { terminated: { exitCode, startedAt: ago(9), finishedAt: ago(9) } } },
    ],
  });
const bare = (annotations: Record<string, string>): Pod => {
  const made = pod({ annotations });
  delete made.metadata.ownerReferences;
  return made;
};

const told = (
  deleted: readonly KubeObject[],
  { world = {}, since, at = NOW }: { world?: Partial<World>; since?: number; at?: number } = {},
): string[] => {
  const recording = new Recording();
  for (const type of ['ADDED', 'DELETED'] as const)
    for (const object of deleted) recording.add({ at, type, object });
  recording.keepLog('preflight-x', 'preflight', 'preflight: setting LICENCE_KEY is missing\n');
  const { causes } = flattenChains(
    explain(withGone(makeWorld({ logs: new Map(), ...world }), recording, since)),
  );
  return causes.map((c) => `${c.object} ${c.says}`);
};

describe('withGone', () => {
  it('tells the end and the last words of a hook that helm has deleted, and why it is gone', () => {
    expect(told([job(), pod()])).toEqual([
      'Job preflight is a hook (pre-install, pre-upgrade), and has failed: its pods failed more often than backoffLimit allows; helm has deleted it, because hook-failed is in its helm.sh/hook-delete-policy',
      'Pod preflight-x has container preflight ending with exit code 3 at once',
      'Log of preflight ends: preflight: setting LICENCE_KEY is missing',
    ]);
  });

  it('reports a hook that is a pod', () => {
    expect(told([bare({ ...hook, 'helm.sh/hook': 'post-install' })])).toEqual([
      'Pod preflight-x is a hook (post-install), and has container preflight ending with exit code 3 at once',
      'Log of preflight ends: preflight: setting LICENCE_KEY is missing',
    ]);
  });

  it('tells why a hook did not end in time', () => {
    const waiting = pod();
    waiting.status = { phase: 'Pending', containerStatuses: [] };
    waiting.status.containerStatuses = [
      {
        name: 'preflight',
        ready: false,
        restartCount: 0,
        image: '',
        imageID: '',
        state: { waiting: { reason: 'ErrImagePull', message: 'web:9: not found' } },
      },
    ];
    expect(told([{ ...job(), status: {} }, waiting]).slice(0, 2)).toEqual([
      'Job preflight is a hook (pre-install, pre-upgrade), and did not end in time; helm has deleted it, because hook-failed is in its helm.sh/hook-delete-policy',
      expect.stringMatching(/^Pod preflight-x cannot pull image .*: the registry has no such image/),
    ]);
  });

  it('reports pods that a failed Job has deleted', () => {
    const world = { workloads: [job({})] };
    expect(told([pod()], { world })).toEqual([
      'Job preflight has failed: its pods failed more often than backoffLimit allows',
      'Pod preflight-x has container preflight ending with exit code 3 at once',
      'Log of preflight ends: preflight: setting LICENCE_KEY is missing',
    ]);
  });

  it('says of a Job without a hook only that it is gone', () => {
    expect(told([job({}), pod()])[0]).toBe(
      'Job preflight has failed: its pods failed more often than backoffLimit allows; it has been deleted',
    );
  });

  it.each<[string, KubeObject[], Parameters<typeof told>[1]]>([
    ['a hook that has succeeded', [job(hook, 'Complete'), pod({}, 0)], {}],
    ['a Job whose second pod has succeeded', [job(hook, 'Complete'), pod()], {}],
    [
      'an earlier Job, in whose place there is a new one',
      [job(), pod()],
      { world: { workloads: [job(hook, 'Complete')] } },
    ],
    ['what another check deleted', [job(), pod()], { since: NOW, at: NOW - 1 }],
    ['a pod that the check itself deleted', [bare({})], {}],
  ])('says nothing about %s', (_, deleted, options) => {
    expect(told(deleted, options)).toEqual([]);
  });
});
