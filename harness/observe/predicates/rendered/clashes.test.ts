import { describe, expect, it } from 'vitest';
import type { KubeObject, Pod } from '../../../kube/api/types.ts';
import { canBeTogether, selectOnlyTheirOwn, type System } from './clashes.ts';

const object = (kind: string, name: string, spec: object = {}, namespace?: string): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, ...(namespace !== undefined && { namespace }) },
  spec,
});
const system = (name: string, ...objects: KubeObject[]): System => ({ name, namespace: 'home', objects });
const pod = (name: string, labels: Record<string, string>, namespace = 'home'): Pod =>
  ({ metadata: { name, namespace, labels }, spec: { containers: [] } }) as unknown as Pod;
const workload = (name: string, containerPorts: object[], more: object = {}): KubeObject =>
  object('Deployment', name, {
    template: { metadata: {}, spec: { ...more, containers: [{ name: 'main', ports: containerPorts }] } },
  });
const nodePort = (name: string, port: number): KubeObject =>
  object('Service', name, { ports: [{ port: 80, nodePort: port }] });

const CLUSTER_SCOPED = new Set(['ClusterRole']);

describe('systems can be together', () => {
  it.each([
    ['objects of other names', object('ConfigMap', 'a'), object('ConfigMap', 'b')],
    ['one name in two namespaces', object('ConfigMap', 'a'), object('ConfigMap', 'a', {}, 'other')],
    ['one name for two kinds', object('ConfigMap', 'a'), object('Secret', 'a')],
    ['other node ports', nodePort('a', 30_001), nodePort('b', 30_002)],
    ['one port in pods', workload('a', [{ containerPort: 80 }]), workload('b', [{ containerPort: 80 }])],
  ])('with %s', (_, one, other) => {
    expect(canBeTogether([system('a', one), system('b', other)], CLUSTER_SCOPED).ok).toBe(true);
  });

  it.each([
    [
      'one name in one namespace',
      object('ConfigMap', 'x'),
      object('ConfigMap', 'x', {}, 'home'),
      'ConfigMap home/x is claimed by a and b',
    ],
    [
      'a cluster-scoped name',
      object('ClusterRole', 'reader'),
      object('ClusterRole', 'reader', {}, 'other'),
      'ClusterRole reader is claimed by a and b',
    ],
    [
      'a node port',
      nodePort('one', 30_080),
      nodePort('two', 30_080),
      'node port 30080/TCP is claimed by a by Service one and b by Service two',
    ],
    [
      'a host port',
      workload('one', [{ containerPort: 80, hostPort: 9100 }]),
      workload('two', [{ containerPort: 9100 }], { hostNetwork: true }),
      'host port 9100/TCP is claimed by a by Deployment one and b by Deployment two',
    ],
  ])('not with %s twice', (_, one, other, says) => {
    const result = canBeTogether([system('a', one), system('b', other)], CLUSTER_SCOPED);
    expect(result).toMatchObject({ ok: false, actual: says });
  });

  it('only when each has objects', () => {
    expect(canBeTogether([system('a', object('ConfigMap', 'a')), system('b')], CLUSTER_SCOPED).ok).toBe(
      false,
    );
  });
});

describe('systems select only their own pods', () => {
  const pods = { a: [pod('a-1', { app: 'a' })], b: [pod('b-1', { app: 'b', tier: 'web' })] };
  const service = (app: object, namespace?: string): KubeObject =>
    object('Service', 'web', { selector: app }, namespace);

  it.each([
    ['its own pods', service({ app: 'a' })],
    ['no pods', service({})],
    ['pods of its namespace, where the others are not', service({ tier: 'web' }, 'other')],
    ['volumes', object('PersistentVolumeClaim', 'web', { selector: {} })],
  ])('when a Service or claim selects %s', (_, one) => {
    expect(selectOnlyTheirOwn([system('a', one), system('b', object('Secret', 's'))], pods).ok).toBe(true);
  });

  it.each([
    [service({ tier: 'web' }), 'Service web of a selects pod b-1 of b'],
    [object('PodDisruptionBudget', 'p', { selector: {} }), 'PodDisruptionBudget p of a selects pod b-1 of b'],
    [object('NetworkPolicy', 'n', { podSelector: {} }), 'NetworkPolicy n of a selects pod b-1 of b'],
    [
      object('Deployment', 'd', { selector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] } }),
      'Deployment d of a selects pod b-1 of b',
    ],
  ])('not with %o', (one, says) => {
    const result = selectOnlyTheirOwn([system('a', one), system('b', object('Secret', 's'))], pods);
    expect(result).toMatchObject({ ok: false, actual: says });
  });

  it('only when each has pods', () => {
    expect(selectOnlyTheirOwn([system('a', service({})), system('c', service({}))], pods).ok).toBe(false);
  });
});
