import { expect, it } from 'vitest';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import { ApiError } from '../../harness/kube/api/errors.ts';
import type { KubeObject, PodSpec } from '../../harness/kube/api/types.ts';
import { podSpecOf } from '../../harness/kube/manifests/objects.ts';
import { modelOf } from '../../harness/kube/manifests/model/subject-model.ts';
import { podOf, validate } from './dry-run.ts';
import { admittedLevel } from './pod-security.ts';

const spec: PodSpec = {
  serviceAccountName: 'web',
  priorityClassName: 'high',
  containers: [{ name: 'web', image: 'web:1' }],
};
const object = (kind: string, rest: object = {}): KubeObject => ({
  apiVersion: kind === 'Widget' ? 'example.org/v1' : 'v1',
  kind,
  metadata: { name: kind.toLowerCase(), namespace: 'elsewhere' },
  ...rest,
});

/** A server that knows all kinds but Widget, and answers a creation with an error. */
function server(
  answer: (created: KubeObject) => [status: number, message: string] | undefined = () => undefined,
): {
  kube: KubeClient;
  created: KubeObject[];
} {
  const created: KubeObject[] = [];
  const failure = (status: number, message: string) => new ApiError('could not', status, 'Reason', message);
  const kube: Partial<KubeClient> = {
    isNamespaced: (kind) =>
      (kind as KubeObject).kind === 'Widget'
        ? Promise.reject(failure(404, 'no such kind'))
        : Promise.resolve((kind as KubeObject).kind !== 'ClusterRole'),
    create: (one, options) => {
      expect(options?.dryRun).toBe(true);
      created.push(one);
      const error = answer(one);
      return error ? Promise.reject(failure(...error)) : Promise.resolve(one);
    },
  };
  return { kube: kube as KubeClient, created };
}

it('validates all objects in one namespace, and pods without what has to exist before them', async () => {
  const { kube, created } = server();
  const objects = [object('ConfigMap'), object('ClusterRole'), object('Pod', { spec }), object('Widget')];

  const result = await validate(kube, objects, 'kp-x');

  expect(result).toEqual({ validated: 3, unknown: ['Widget widget'], refusals: [] });
  expect(created.map(({ metadata }) => metadata.namespace)).toEqual(['kp-x', 'elsewhere', 'kp-x']);
  expect(podSpecOf(created[2]!)).toEqual({ containers: spec.containers });
});

it.each([
  ['an unknown field', 400, 'strict decoding error: unknown field "spec.x"', 1],
  ['a name that is taken', 409, 'clusterroles "reader" already exists', 0],
  ['a node port that is taken', 422, 'spec.ports[0].nodePort: provided port is already allocated', 0],
])(
  'reports what the server refuses, but not %s of another release: %s',
  async (_, status, message, count) => {
    const { kube } = server(() => [status, message]);
    expect((await validate(kube, [object('Service')], 'kp-x')).refusals).toHaveLength(count);
  },
);

const workloads = modelOf([object('Pod', { spec }), object('Deployment', { spec: { template: { spec } } })], {
  namespace: 'elsewhere',
}).workloads;

it.each([
  ['restricted', [], []],
  [
    'baseline',
    ['restricted'],
    ['Pod pod needs more than restricted: a, b', 'Deployment deployment needs more than restricted: a, b'],
  ],
  [
    'privileged',
    ['restricted', 'baseline'],
    ['Pod pod needs more than baseline: a, b', 'Deployment deployment needs more than baseline: a, b'],
  ],
])('finds the level %s, and what keeps the pods from the next one', async (level, refusing, stricter) => {
  const { kube } = server(({ metadata }) =>
    refusing.includes(metadata.namespace ?? '')
      ? [403, `pods "admitted" is forbidden: violates PodSecurity "${metadata.namespace ?? ''}:latest": a, b`]
      : undefined,
  );
  const namespaceOf = (labels: Record<string, string>) => Promise.resolve(Object.values(labels)[0]!);
  expect(await admittedLevel(kube, workloads, namespaceOf)).toEqual({ level, stricter });
});

it('does not take another refusal for one of Pod Security', async () => {
  const { kube } = server(() => [422, 'spec.containers: Required value']);
  expect(await admittedLevel(kube, workloads, () => Promise.resolve('n'))).toEqual({
    level: 'restricted',
    stricter: [],
  });
});

it('gives the pod of a StatefulSet the volumes of its claims', () => {
  const set = object('StatefulSet', {
    spec: { template: { spec }, volumeClaimTemplates: [{ metadata: { name: 'data' } }] },
  });
  const [workload] = modelOf([set], { namespace: 'n' }).workloads;
  expect(podSpecOf(podOf(workload!, 'n'))?.volumes).toEqual([{ name: 'data', emptyDir: {} }]);
});
