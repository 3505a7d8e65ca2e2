import { expect, test } from 'vitest';
import { debianMirrorOf } from './package-sources.ts';

test.each([
  [
    'a Debian mirror, without its trailing slash',
    'bookworm main http://mirror.example/debian/',
    'http://mirror.example/debian',
  ],
  [
    'the release among security and third-party archives',
    'bookworm-security main http://mirror.example/debian-security/\n12 main http://vendor.example/\ntrixie main http://mirror.example/debian',
    'http://mirror.example/debian',
  ],
  ['nothing on another distribution', 'noble main http://mirror.example/ubuntu/', undefined],
  ['nothing without sources', '', undefined],
])('finds %s', (_, targets, mirror) => {
  expect(debianMirrorOf(targets)).toBe(mirror);
});
