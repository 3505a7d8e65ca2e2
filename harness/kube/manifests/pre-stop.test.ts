import { expect, it } from 'vitest';
import { preStopSeconds } from './pre-stop.ts';

it.each([
  ['without a hook', undefined, undefined],
  ['of sleep', { preStop: { sleep: { seconds: 5 } } }, 5],
  ['of the program', { preStop: { exec: { command: ['/bin/sleep', '7'] } } }, 7],
  ['in a shell', { preStop: { exec: { command: ['sh', '-c', 'nginx -s quit; sleep 12 && true'] } } }, 12],
  ['of minutes, which is another form', { preStop: { exec: { command: ['sleep', '2m'] } } }, undefined],
  ['of a request', { preStop: { httpGet: { path: '/drain', port: 80 } } }, undefined],
])('the seconds of a preStop hook: %s', (_, lifecycle, seconds) => {
  expect(preStopSeconds(lifecycle === undefined ? {} : { lifecycle })).toBe(seconds);
});
