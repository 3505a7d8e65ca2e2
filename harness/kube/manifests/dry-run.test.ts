import { describe, expect, it } from 'vitest';
import { InfrastructureError } from '../../core/errors.ts';
import { ApiError } from '../api/errors.ts';
import type { KubeObject } from '../api/types.ts';
import { refusalsOf } from './dry-run.ts';

const objects: KubeObject[] = ['a', 'b'].map((name) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
}));
const answer = (status: number, message = 'no'): ApiError =>
  new ApiError('could not apply ConfigMap a', status, '', message);

describe('refusalsOf', () => {
  it('returns each refused object with the message of the server', async () => {
    const found = await refusalsOf(objects, ({ metadata }) =>
      metadata.name === 'a' ? Promise.reject(answer(422)) : Promise.resolve(),
    );
    expect(found).toEqual(['ConfigMap a: could not apply ConfigMap a: no']);
  });

  it('counts a refusal by admission, which has the status of a missing permission', async () => {
    const refused = answer(403, 'pods "a" is forbidden: violates PodSecurity "restricted:latest"');
    expect(await refusalsOf(objects.slice(0, 1), () => Promise.reject(refused))).toHaveLength(1);
  });

  it.each([
    ['a server that is overloaded', answer(429)],
    ['a server that fails', answer(503)],
    ['a user without permission', answer(403, 'User "x" cannot patch resource "configmaps"')],
    ['no answer', new InfrastructureError('E_API_TIMEOUT', 'did not answer')],
  ])('passes on the error of %s', async (_title, error) => {
    await expect(refusalsOf(objects, () => Promise.reject(error))).rejects.toBe(error);
  });
});
