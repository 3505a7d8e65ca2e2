/** Every check that uses the shared release is diagnosed from the recording of its namespaces, not only the one that installed it. */
import { expect, it } from 'vitest';
import { Lifecycle } from '../../core/lifecycle.ts';
import { silentLog } from '../../core/log.ts';
import { fakeLab } from '../../testing/fake-lab.ts';
import { Lab } from './lab.ts';

it.each(['the check that installs it', 'a later check'])('gives the recording to %s', async (which) => {
  const { lab: shared } = fakeLab();
  const [first, later] = ['X-13', 'X-14'].map((id) => new Lab(shared, new Lifecycle(silentLog), `app/${id}`));
  await expect(first?.shared()).rejects.toThrow('the fake helm installs nothing');
  await expect(later?.shared()).rejects.toThrow('never became ready');

  const lab = which === 'a later check' ? later : first;
  const [namespace = 'none'] = lab?.namespaces ?? [];
  expect(shared.sharedNamespaces).toEqual([namespace]);
  expect(await lab?.recordingOf(namespace)).toBeDefined();
  expect(await lab?.recordingOf('elsewhere')).toBeUndefined();

  await shared.lifecycle.close();
});
