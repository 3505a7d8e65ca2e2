import { describe, expect, it } from 'vitest';
import { mounts } from './mounts.ts';
import { environ, gainsNoPrivileges, hasNoCapabilities, processIdentity, runsAsUser } from './process.ts';

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
    ['as asked', {}, {}, true],
    ['in a supplementary group', {}, { groups: [3000] }, true],
    ['not in a group', {}, { groups: [4000] }, false],
    ['root as the saved user', { Uid: '1001\t1001\t0\t1001' }, {}, false],
    ['another group', { Gid: '0\t0\t0\t0' }, {}, false],
    ['new privileges possible', { NoNewPrivs: '0' }, {}, false],
    ['a capability left', { CapEff: '0000000000000400' }, {}, false],
    ['the capability that was allowed', { CapEff: '0000000000000400' }, { capabilities: '400' }, true],
  ])('%s', (_, changes, wanted, ok) => {
    expect(processIdentity(status(changes), { uid: 1001, gid: 2375, ...wanted }).ok).toBe(ok);
  });

  it('does not hold for a text that says nothing', () => {
    expect(processIdentity('', { uid: 1001, gid: 2375 }).ok).toBe(false);
  });
});

describe('single facts of /proc/1/status', () => {
  const zero = '0000000000000000';
  it.each([
    ['runsAsUser: as asked', runsAsUser(status(), 1001), true],
    ['runsAsUser: root as the saved user', runsAsUser(status({ Uid: '1001\t1001\t0\t1001' }), 1001), false],
    ['runsAsUser: nothing told', runsAsUser('', 1001), false],
    ['hasNoCapabilities: none', hasNoCapabilities(status({ CapBnd: zero })), true],
    ['hasNoCapabilities: one', hasNoCapabilities(status({ CapBnd: zero, CapEff: '400' })), false],
    ['hasNoCapabilities: to be had', hasNoCapabilities(status({ CapBnd: '00000000a80425fb' })), false],
    ['hasNoCapabilities: nothing told', hasNoCapabilities(''), false],
    ['gainsNoPrivileges: none', gainsNoPrivileges(status()), true],
    ['gainsNoPrivileges: some', gainsNoPrivileges(status({ NoNewPrivs: '0' })), false],
    ['gainsNoPrivileges: nothing told', gainsNoPrivileges(''), false],
  ])('%s', (_, verdict, ok) => {
    expect(verdict.ok).toBe(ok);
  });
});

describe('environ', () => {
  const bytes = 'PORT=3000\0RUST_LOG=info\0TOKEN=a=b\0';
  it.each([
    ['equal', { PORT: '3000', TOKEN: 'a=b' }, true],
    ['another value', { RUST_LOG: 'debug' }, false],
    ['absent', { HOME: '/' }, false],
    ['absent, as asked', { HOME: null }, true],
    ['there, against what was asked', { PORT: null }, false],
    ['nothing asked', {}, false],
  ])('%s', (_, wanted, ok) => {
    expect(environ(bytes, wanted).ok).toBe(ok);
  });

  it('shows no variable that was not asked for', () => {
    expect(JSON.stringify(environ(Buffer.from(bytes), { PORT: '3000' }))).not.toMatch(/TOKEN|a=b/);
  });
});

describe('mounts', () => {
  const text =
    'overlay / overlay ro,relatime 0 0\n/dev/vda /config ext4 ro,relatime 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vda /my\\040data ext4 rw 0 0\n';
  it.each([
    ['there', [{ path: '/config' }, { path: '/my data' }], true],
    [
      'read-only as asked',
      [
        { path: '/config', readOnly: true },
        { path: '/', readOnly: true },
      ],
      true,
    ],
    ['writable against what was asked', [{ path: '/tmp', readOnly: true }], false],
    ['of another type', [{ path: '/config', type: 'tmpfs' }], false],
    ['not mounted', [{ path: '/data' }], false],
    ['nothing asked', [], false],
  ])('%s', (_, wanted, ok) => {
    expect(mounts(text, wanted).ok).toBe(ok);
  });
});
