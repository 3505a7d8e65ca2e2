import { describe, expect, it } from 'vitest';
import { mounts } from './mounts.ts';

describe('mounts', () => {
  const text =
    'overlay / overlay ro,relatime 0 0\n/dev/vda /config ext4 ro,relatime 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vda /my\\040data ext4 rw 0 0\n';
  it.each([
    ['mounted', [{ path: '/config' }, { path: '/my data' }], true],
    [
      'read-only as expected',
      [
        { path: '/config', readOnly: true },
        { path: '/', readOnly: true },
      ],
      true,
    ],
    ['writable instead of read-only', [{ path: '/tmp', readOnly: true }], false],
    ['of another type', [{ path: '/config', type: 'tmpfs' }], false],
    ['not mounted', [{ path: '/data' }], false],
    ['no expected mount', [], false],
  ])('%s', (_, wanted, ok) => {
    expect(mounts(text, wanted).ok).toBe(ok);
  });
});
