import { describe, expect, it } from 'vitest';
import { noRequestLost, quietStatuses, type RequestLog } from './request-log.ts';

const log = (...outcomes: string[]): RequestLog => ({
  requests: outcomes.map((outcome, index) => ({ number: index + 1, outcome })),
});
const update = { after: 2, says: 'Deployment web was updated' };

describe('noRequestLost', () => {
  it.each<[string, string[], string | undefined]>([
    ['every answer', ['200', '200', '200', '200'], undefined],
    ['an answer that is normal for the request', ['503', '404', '404', '503'], undefined],
    ['another answer of the client error kind', ['200', '200', '404'], undefined],
    [
      'a refused connection',
      ['200', '200', 'Connection refused', '200'],
      'Service web lost 1 request while Deployment web was updated: 1 × Connection refused',
    ],
    [
      'a server error',
      ['200', '200', '502', '200'],
      'Service web lost 1 request while Deployment web was updated: 1 × HTTP 502',
    ],
    ['a failure before the change', ['no answer', '200', '200'], undefined],
    ['no request after the change', ['200', '200'], 'no request was sent since the change'],
  ])('%s', (_, outcomes, complaint) => {
    const result = noRequestLost(log(...outcomes), 'Service web', [update]);
    expect(result.ok).toBe(complaint === undefined);
    expect(result.actual).toBe(complaint ?? 'nothing is wrong');
  });

  it('names the change during which a request was lost, and accounts for every request', () => {
    const changes = [update, { after: 4, says: 'Deployment api was updated' }];
    const result = noRequestLost(
      log('200', '200', '200', '200', 'no answer', 'no answer', '200'),
      'Service web',
      changes,
    );
    expect(result.details).toEqual([
      'Service web lost 2 requests while Deployment api was updated: 2 × no answer',
    ]);
    expect(result.observed).toEqual([
      'Service web: 7 requests sent, 2 of them before the change: 5 × 200 and 2 × no answer',
    ]);
  });
});

it('knows the statuses before the first change', () => {
  expect(quietStatuses(log('200', 'no answer', '500'), [update])).toEqual(['200']);
});
