/** A KubeClient for unit tests with objects in memory. Methods that it does not implement throw. */
import { applyPatch, type Operation } from 'rfc6902';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';

export interface FakeKube {
  client: KubeClient;
  objects: KubeObject[];
  patches: { name: string; patch: unknown; subresource: string | undefined }[];
}

/** @param objects the objects of the cluster; patches and deletions modify the array */
export function fakeKube(objects: KubeObject[]): FakeKube {
  const patches: FakeKube['patches'] = [];
  const kindOf = (ref: unknown) => (typeof ref === 'string' ? ref : (ref as { kind: string }).kind);
  const find = (ref: unknown, name: string) =>
    objects.find((object) => object.kind === kindOf(ref) && object.metadata.name === name);
  const known: Partial<KubeClient> = {
    get teardown() {
      return client;
    },
    version: () => Promise.resolve('v1.36.3'),
    list: (ref, options) =>
      Promise.resolve(
        objects.filter(
          (object) =>
            object.kind === kindOf(ref) &&
            (options?.namespace ?? object.metadata.namespace) === object.metadata.namespace &&
            isSelected(object, options?.labelSelector),
        ) as never[],
      ),
    resources: () => {
      const kinds = new Map(
        objects.map(({ apiVersion, kind, metadata }) => [kind, { apiVersion, metadata }]),
      );
      return Promise.resolve(
        [...kinds].map(([kind, { apiVersion, metadata }]) => ({
          apiVersion,
          kind,
          plural: `${kind.toLowerCase()}s`,
          namespaced: metadata.namespace !== undefined,
          verbs: ['list', 'delete'],
        })),
      );
    },
    get: (ref, { name }) => Promise.resolve(find(ref, name) as never),
    patch: (ref, { name }, patch, options) => {
      patches.push({ name, patch, subresource: options?.subresource });
      const object = find(ref, name);
      if (object === undefined) throw new Error(`no ${kindOf(ref)} ${name}`);
      if (Array.isArray(patch)) {
        const error = applyPatch(object, structuredClone(patch) as Operation[]).find(
          (result) => result !== null,
        );
        if (error) throw error;
      } else merge(object, patch as Record<string, unknown>);
      return Promise.resolve(object);
    },
    create: (object) => {
      objects.push(object);
      return Promise.resolve(object);
    },
    delete: (ref, { name }) => {
      const index = objects.findIndex((o) => o.kind === kindOf(ref) && o.metadata.name === name);
      if (index >= 0) objects.splice(index, 1);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
  const client: KubeClient = new Proxy(known, {
    get: (target, name) =>
      // With a `then`, `await` would treat the client as a promise.
      name === 'then' ? undefined : (target[name as keyof KubeClient] ?? notFaked(String(name))),
  }) as KubeClient;
  return { client, objects, patches };
}

/** Selectors of one term: `key` or `key=value`. */
function isSelected({ metadata }: KubeObject, selector: string | undefined): boolean {
  if (selector === undefined) return true;
  const [key = '', value] = selector.split('=');
  const label = metadata.labels?.[key];
  return label !== undefined && (value === undefined || label === value);
}

/** RFC 7386. */
function merge(target: Record<string, unknown>, patch: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(target, key);
    else if (typeof value === 'object' && !Array.isArray(value)) {
      merge((target[key] ??= {}) as Record<string, unknown>, value as Record<string, unknown>);
    } else target[key] = value;
  }
}

function notFaked(name: string): () => never {
  return () => {
    throw new Error(`fakeKube does not implement ${name}`);
  };
}

/** A Ready node. */
export function fakeNode(
  name: string,
  more: { labels?: Record<string, string>; spec?: object } = {},
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: more.labels ?? {} },
    spec: more.spec ?? {},
    status: {
      conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z' }],
      capacity: {},
      allocatable: {},
    },
  };
}

/** A Ready pod of the system. */
export function fakeSystemPod(name: string, ready = true): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'kube-system' },
    spec: { containers: [] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: ready
        ? []
        : [
            {
              name: 'c',
              ready,
              restartCount: 3,
              image: '',
              imageID: '',
              state: { waiting: { reason: 'CrashLoopBackOff' } },
            },
          ],
    },
  };
}
