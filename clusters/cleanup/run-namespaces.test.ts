import { expect, it } from 'vitest';
import { RUN_LABEL } from '../../harness/core/run-id.ts';
import { fakeKube } from '../testing/fake-kube.ts';
import { deleteRunNamespaces } from './run-namespaces.ts';

const namespace = (name: string, run?: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, ...(run === undefined ? {} : { labels: { [RUN_LABEL]: run } }), ...more },
});

it.each([
  ['r1', ['kp-r1']],
  [undefined, ['kp-r1', 'kp-r2']],
])('deletes the namespaces of run %s, except terminating ones', async (run, names) => {
  const kube = fakeKube([
    namespace('default'),
    namespace('kp-r1', 'r1'),
    namespace('kp-r2', 'r2'),
    namespace('kp-r1-old', 'r1', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
  ]);
  expect(await deleteRunNamespaces(kube.client, run)).toEqual(names);
  expect(kube.objects.map((o) => o.metadata.name)).toEqual(
    ['default', 'kp-r1', 'kp-r2', 'kp-r1-old'].filter((name) => !names.includes(name)),
  );
});
