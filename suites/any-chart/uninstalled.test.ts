import { expect, it } from 'vitest';
import { fakeKube } from '../../clusters/testing/fake-kube.ts';
import type { KubeObject, Metadata } from '../../harness/kube/api/types.ts';
import { sleepingClock } from '../../harness/testing/sleeping-clock.ts';
import { uninstalled } from './uninstalled.ts';

const HOME = 'kp-home';
const DELETED = '2026-11-30T10:00:00Z';

function leaving(kind: string, name: string, metadata: Partial<Metadata> = {}): KubeObject {
  const own = { namespace: HOME, uid: `${kind} ${name}`, deletionTimestamp: DELETED };
  return { apiVersion: 'v1', kind, metadata: { name, ...own, ...metadata } };
}
const waiting = leaving('ConfigMap', 'a', { finalizers: ['example.com/cleanup'] });

/** Waits for the uninstall; `after` is called at every sleep, with the objects of the cluster. */
function wait(
  objects: KubeObject[],
  isAlone = true,
  after: (objects: KubeObject[], slept: number) => void = () => {},
  before: KubeObject[] = [],
) {
  const clock = sleepingClock();
  let slept = 0;
  return uninstalled(
    fakeKube(objects).client,
    {
      release: { name: 'any', namespace: HOME },
      own: [HOME],
      rendered: [],
      definitions: [],
      before,
      controlNamespace: 'control',
    },
    {
      graceSeconds: 10,
      isAlone,
      clock: {
        now: () => clock.now(),
        sleep: async (ms) => {
          after(objects, (slept += 1));
          await clock.sleep(ms);
        },
      },
    },
  );
}

it('waits until everything that is deleted has gone', async () => {
  const left = await wait([leaving('Pod', 'a')], true, (objects) => objects.splice(0));
  expect(left).toEqual({ leaving: [], broken: [], advisable: [], meant: [] });
});

it('ends early at a finalizer that nobody can remove any more', async () => {
  let sleeps = 0;
  const objects = [waiting, leaving('Pod', 'a'), leaving('Namespace', 'x', { uid: 'x' })];
  const { broken } = await wait(objects, true, (all, slept) => {
    sleeps = slept;
    if (slept === 3) all.splice(1, 1);
  });
  expect(broken.map(({ says }) => says)).toEqual([
    'ConfigMap kp-home/a is never deleted: it waits for example.com/cleanup, and no pod of the release is left to remove it',
  ]);
  expect(sleeps).toBe(4);
});

it('does not wait for pods that were there before the release, such as its prerequisites', async () => {
  let sleeps = 0;
  const database: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'db', namespace: HOME, uid: 'db' },
  };
  const { broken } = await wait([waiting, database], true, (_all, slept) => (sleeps = slept), [database]);
  expect(broken.map(({ object }) => object.metadata.name)).toEqual(['a']);
  expect(sleeps).toBe(1);
});

it('says nothing about the chart when somebody else may have to remove the finalizer', async () => {
  await expect(wait([waiting], false)).rejects.toMatchObject({
    code: 'E_NOT_GONE',
    message: expect.stringMatching(
      /ConfigMap kp-home\/a: it waits for its finalizers example\.com\/cleanup/,
    ) as string,
  });
});

it('says nothing about the chart when Kubernetes does not delete in time', async () => {
  await expect(wait([leaving('Pod', 'a')])).rejects.toMatchObject({ code: 'E_NOT_GONE' });
});
