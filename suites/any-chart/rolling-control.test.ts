import { describe, expect, it } from 'vitest';
import type { Container } from '../../harness/kube/api/types.ts';
import type { RequestLog } from '../../harness/observe/predicates/live/request-log.ts';
import { drainBeside, noRequestLostBeside } from './rolling-control.ts';

const container = (seconds?: number): Container => ({
  name: 'one',
  image: 'one:1',
  ...(seconds !== undefined && { lifecycle: { preStop: { sleep: { seconds } } } }),
});

it.each([
  ['the default without a hook', [container()], 3],
  ['the shortest of several', [container(7), container(), container(5)], 5],
  ['no more than 10 s', [container(60)], 10],
])('drains as long as the subject: %s', (_, containers, seconds) => {
  expect(drainBeside(containers)).toBe(seconds);
});

describe('requests lost beside the control', () => {
  const changes = [{ after: 2, says: 'it was updated' }];
  /** Two requests before the change, and ten after it, the first of which are lost. */
  const log = (lost: number): RequestLog => ({
    requests: Array.from({ length: 12 }, (_, index) => ({
      number: index + 1,
      outcome: index >= 2 && index < 2 + lost ? 'Connection refused' : '200',
    })),
  });
  const judged = (control: number, subject: number) =>
    noRequestLostBeside(log(control), { log: log(subject), title: 'Service web' }, changes);

  it('are none', () => {
    expect(judged(2, 0).ok).toBe(true);
  });

  it('count when the control lost none, or far fewer', () => {
    expect(judged(0, 1)).toMatchObject({ ok: false, actual: expect.stringContaining('Service web lost 1') });
    expect(judged(1, 4).ok).toBe(false);
  });

  it('say nothing when the control lost about as many', () => {
    expect(() => judged(1, 3)).toThrow(
      /the machine may be the cause: Service web lost 3 .* the control lost 1/,
    );
  });
});
