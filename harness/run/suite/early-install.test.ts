/** A release that a check installs before the shared one is ready. */
import { describe, expect, it } from 'vitest';
import { CheckFailure, DoesNotFit } from '../../core/errors.ts';
import { Lifecycle } from '../../core/lifecycle.ts';
import { silentLog } from '../../core/log.ts';
import type { KubeObject } from '../../kube/api/types.ts';
import { fakeLab } from '../../testing/fake-lab.ts';
import { Lab } from './lab.ts';
import { BlockedError } from './shared-lab.ts';

const early = { namespace: 'two', rollout: false, early: true };

function labOf({ objects = [], fails = false }: { objects?: KubeObject[]; fails?: boolean }) {
  const fake = fakeLab({
    helm: {
      render: () => Promise.resolve({ objects }),
      install: ({ namespace }) => {
        fake.done.push(`install into ${namespace}`);
        return fails ? Promise.reject(new CheckFailure('E_HELM', 'refused')) : Promise.resolve({} as never);
      },
    },
  });
  return { ...fake, open: () => new Lab(fake.lab, new Lifecycle(silentLog), 'app/X-06') };
}

describe('an early release', () => {
  it('does not wait for the shared one', async () => {
    const { lab, open, done } = labOf({});
    void lab.sharedRelease('app/X-13', () => new Promise(() => {}));
    await open().install(early);
    expect(done).toContain('install into two');
  });

  it('that fails as the shared one does is blocked by it', async () => {
    const { lab, open } = labOf({ fails: true });
    const shared = lab.sharedRelease('app/X-13', () => Promise.reject(new CheckFailure('E_HELM', 'refused')));
    await expect(open().install(early)).rejects.toThrow(BlockedError);
    await expect(shared).rejects.toThrow('refused');
  });

  it('that fails alone reports its own cause', async () => {
    const { lab, open } = labOf({ fails: true });
    void lab.sharedRelease('app/X-13', () => Promise.resolve({ objects: [] } as never));
    await expect(open().install(early)).rejects.toThrow('refused');
  });

  it('does not fit beside one whose cluster-scoped objects have the same names', async () => {
    const role = { apiVersion: 'v1', kind: 'ClusterRole', metadata: { name: 'reader' } };
    const { lab, open } = labOf({ objects: [role] });
    void lab.sharedRelease('app/X-13', () => new Promise(() => {}));
    await expect(open().install(early)).rejects.toThrow(DoesNotFit);
  });
});
