import { describe, expect, it } from 'vitest';
import {
  gainsNoPrivileges,
  hasNoCapabilities,
  parseEnviron,
  processIdentity,
  runsAsUser,
} from './process.ts';

const status = (changes: Record<string, string> = {}) =>
  Object.entries({
    Name: 'server',
    Uid: '1001\t1001\t1001\t1001',
    Gid: '2375\t2375\t2375\t2375',
    Groups: '2375 3000 ',
    NoNewPrivs: '1',
    CapEff: '0000000000000000',
    ...changes,
  })
    .map(([key, value]) => `${key}:\t${value}`)
    .join('\n');

describe('processIdentity', () => {
  it.each([
    ['as expected', {}, {}, true],
    ['in a supplementary group', {}, { groups: [3000] }, true],
    ['not in a group', {}, { groups: [4000] }, false],
    ['root as the saved user', { Uid: '1001\t1001\t0\t1001' }, {}, false],
    ['another group', { Gid: '0\t0\t0\t0' }, {}, false],
    ['new privileges possible', { NoNewPrivs: '0' }, {}, false],
    ['a capability left', { CapEff: '0000000000000400' }, {}, false],
    ['the allowed capability', { CapEff: '0000000000000400' }, { capabilities: '400' }, true],
  ])('%s', (_, changes, wanted, ok) => {
    expect(processIdentity(status(changes), { uid: 1001, gid: 2375, ...wanted }).ok).toBe(ok);
  });

  it('does not hold for an empty text', () => {
    expect(processIdentity('', { uid: 1001, gid: 2375 }).ok).toBe(false);
  });
});

describe('single facts of /proc/1/status', () => {
  const zero = '0000000000000000';
  it.each([
    ['runsAsUser: as expected', runsAsUser(status(), 1001), true],
    ['runsAsUser: root as the saved user', runsAsUser(status({ Uid: '1001\t1001\t0\t1001' }), 1001), false],
    ['runsAsUser: no value', runsAsUser('', 1001), false],
    ['hasNoCapabilities: none', hasNoCapabilities(status({ CapBnd: zero })), true],
    ['hasNoCapabilities: one', hasNoCapabilities(status({ CapBnd: zero, CapEff: '400' })), false],
    [
      'hasNoCapabilities: one can be gained',
      hasNoCapabilities(status({ CapBnd: '00000000a80425fb' })),
      false,
    ],
    ['hasNoCapabilities: no value', hasNoCapabilities(''), false],
    ['gainsNoPrivileges: cannot gain', gainsNoPrivileges(status()), true],
    ['gainsNoPrivileges: can gain', gainsNoPrivileges(status({ NoNewPrivs: '0' })), false],
    ['gainsNoPrivileges: no value', gainsNoPrivileges(''), false],
  ])('%s', (_, result, ok) => {
    expect(result.ok).toBe(ok);
  });
});

describe('parseEnviron', () => {
  it('keeps values that contain an equals sign', () => {
    expect(Object.fromEntries(parseEnviron(Buffer.from('PORT=3000\0TOKEN=a=b\0')))).toEqual({
      PORT: '3000',
      TOKEN: 'a=b',
    });
  });
});
