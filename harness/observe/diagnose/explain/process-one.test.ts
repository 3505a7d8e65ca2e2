import { expect, it } from 'vitest';
import { shellAsProcessOne } from './process-one.ts';

const says = (command: string[], args?: string[], spec: object = {}): string | undefined =>
  shellAsProcessOne({ name: 'app', image: 'a', command, ...(args ? { args } : {}) }, { ...spec });
const LOOP = 'while true; do sleep 3600; done';

it.each<[string, string[], string[]?]>([
  ['a loop', ['sh', '-c', LOOP]],
  ['a path and several flags', ['/bin/bash', '-euo', 'pipefail', '-ec', LOOP]],
  ['the script as an argument', ['sh'], ['-c', 'migrate && serve']],
  ['the shell of busybox', ['/bin/busybox', 'sh', '-c', LOOP]],
  ['exec that only redirects', ['sh', '-c', 'exec 2>&1; serve; true']],
])('names the shell of %s', (_, command, args) => {
  expect(says(command, args)).toMatch(/^a shell without exec or trap \(`(sh|bash) -c .*SIGTERM/);
});

it.each<[string, string[], (string[] | undefined)?, object?]>([
  ['a program', ['/agent', '-c', 'x; y']],
  ['exec', ['sh', '-c', 'migrate && exec serve']],
  ['trap', ['sh', '-c', "trap 'exit 0' TERM; serve & wait"]],
  ['one simple command, with which many shells replace themselves', ['sh', '-c', 'serve --port 80']],
  ['a script in a file', ['sh', '/start.sh']],
  ['the entry point of the image', [], ['-c', LOOP]],
  ['a shared process namespace', ['sh', '-c', LOOP], undefined, { shareProcessNamespace: true }],
])('names none for %s', (_, command, args, spec) => {
  expect(says(command, args, spec)).toBeUndefined();
});
