/** A subject that can exist only once: its releases are installed one after the other. */
import { expect, it } from 'vitest';
import { DoesNotFit, InfrastructureError } from '../../core/errors.ts';
import { Lifecycle } from '../../core/lifecycle.ts';
import { silentLog } from '../../core/log.ts';
import { fakeLab, type FakeLab } from '../../testing/fake-lab.ts';
import { Lab } from './lab.ts';
import type { Release } from './release.ts';

const clusterRole = { apiVersion: 'v1', kind: 'ClusterRole', metadata: { name: 'reader' } };
function labOf(once: boolean): FakeLab & { open: () => Lab } {
  const fake: FakeLab = fakeLab({
    helm: {
      render: () => Promise.resolve({ objects: [clusterRole] }),
      install: ({ namespace }) => {
        fake.done.push(`install into ${namespace}`);
        return Promise.resolve({} as never);
      },
    },
    deps: {
      subject: { chart: 'chart', values: [], set: [], patches: [], reference: true, images: [], once },
    },
  });
  const open = (): Lab => new Lab(fake.lab, new Lifecycle(silentLog), 'app/X-13');
  return { ...fake, open };
}

const steps = ({ done }: FakeLab): string[] => done.filter((line) => line.includes('install'));

it('ends the shared release before a check installs its own', async () => {
  const fake = labOf(true);
  const shared = { objects: [clusterRole] } as unknown as Release;
  await fake.lab.sharedRelease('app/X-13', () => Promise.resolve(shared));
  fake.lab.lifecycle.defer('uninstall the shared release', () => void fake.done.push('uninstall the shared'));

  await fake.open().install({ namespace: 'two', rollout: false });

  expect(steps(fake)).toEqual(['uninstall the shared', 'install into two']);
  await expect(fake.open().shared()).rejects.toThrow(InfrastructureError);
});

it('keeps the shared release when the check itself uses it', async () => {
  const fake = labOf(true);
  await fake.lab.sharedRelease('app/X-13', () => Promise.resolve({ objects: [] } as unknown as Release));
  const lab = fake.open();
  await lab.shared();
  await expect(lab.install({ namespace: 'two', rollout: false })).rejects.toThrow(DoesNotFit);
  fake.lab.lifecycle.defer('it is still open', () => {});
});

it('leaves the shared release of another subject alone, so that a second one of the same name does not fit', async () => {
  const fake = labOf(false);
  const shared = { objects: [clusterRole] } as unknown as Release;
  await fake.lab.sharedRelease('app/X-13', () => Promise.resolve(shared));
  await expect(fake.open().install({ namespace: 'two', rollout: false })).rejects.toThrow(DoesNotFit);
  expect(await fake.open().shared()).toBe(shared);
});
