import { describe, expect, it } from 'vitest';
import { DoesNotFit, NameMissing } from '../../../core/errors.ts';
import { playing } from './role.ts';

interface Thing {
  name: string;
  serves?: boolean;
  mounts?: boolean;
}

const role: Parameters<typeof playing<Thing>>[1] = {
  title: 'the server',
  isDocumented: ({ name }) => name === 'server',
  traits: [
    { says: 'serves', has: ({ serves = false }) => serves },
    { says: 'mounts', has: ({ mounts = false }) => mounts },
  ],
  nameOf: ({ name }) => name,
};

describe('the role is played by', () => {
  it.each<[string, Thing[], string]>([
    [
      'the documented name, whatever else there is',
      [{ name: 'a', serves: true }, { name: 'server' }],
      'server',
    ],
    ['the only candidate', [{ name: 'a' }], 'a'],
    [
      'the one with the first trait',
      [
        { name: 'a', mounts: true },
        { name: 'b', serves: true },
      ],
      'b',
    ],
    [
      'the one that a later trait distinguishes',
      [
        { name: 'a', serves: true },
        { name: 'b', serves: true, mounts: true },
        { name: 'c', mounts: true },
      ],
      'b',
    ],
  ])('%s', (_title, candidates, wanted) => {
    expect(playing(candidates, role).name).toBe(wanted);
  });

  it('nobody that can be told, when several are left', () => {
    const ask = (): unknown => playing([{ name: 'a' }, { name: 'b' }], role);
    expect(ask).toThrow(DoesNotFit);
    expect(ask).toThrow('2 candidates for the server, and none has the documented name: a and b');
  });

  it('nobody, when there is no candidate', () => {
    expect(() => playing([], role)).toThrow(NameMissing);
  });
});
