import { expect, it } from 'vitest';
import { parseRequests } from './service-load.ts';

it('accounts for every request, in the order of sending', () => {
  expect(
    parseRequests("0 200\n2 nc: can't connect to remote host (10.96.0.7): Connection refused\n1 200\n", 2)
      .requests,
  ).toEqual([
    { number: 1, outcome: '200' },
    { number: 2, outcome: 'Connection refused' },
  ]);
});

it('does not judge by requests that the client itself lost', () => {
  expect(() => parseRequests('0 200\n1 200\n', 3)).toThrow('the client lost 2 of its 3 requests');
});
