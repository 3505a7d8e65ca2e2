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
const answer = (status: number): ApiError => new ApiError('could not apply ConfigMap a', status, '', 'no');

describe('refusalsOf', () => {
  it('returns each refused object with the message of the server', async () => {
    const found = await refusalsOf(objects, ({ metadata }) =>
      metadata.name === 'a' ? Promise.reject(answer(422)) : Promise.resolve(),
    );
    expect(found).toEqual(['ConfigMap a: could not apply ConfigMap a: no']);
  });

  it.each([
    ['a server that is overloaded', answer(429)],
    ['a server that fails', answer(503)],
    ['no answer', new InfrastructureError('E_API_TIMEOUT', 'did not answer')],
  ])('passes on the error of %s', async (_title, error) => {
    await expect(refusalsOf(objects, () => Promise.reject(error))).rejects.toBe(error);
  });
});
