/** Polls over a whole window: healthy for a time, not only once. */
import type { Clock } from '../../core/deadline.ts';
import { systemClock } from '../../core/deadline.ts';
import { messageOf } from '../../core/errors.ts';
import type { StatusAnswer, StatusExpectation } from '../predicates/live/traffic.ts';
import { answeredWithStatus } from '../predicates/live/traffic.ts';
import type { PredicateResult } from '../predicates/result.ts';

export interface ConsistentlyOptions extends StatusExpectation {
  /** Number of rounds. */
  count: number;
  intervalMs: number;
  /** One round; a rejection counts as no answer. */
  ask: () => Promise<readonly StatusAnswer[]>;
  signal?: AbortSignal;
  clock?: Clock;
}

/** Judges the answers of all rounds together. It does not stop at the first bad one, so that the pattern shows. */
export async function consistently(options: ConsistentlyOptions): Promise<PredicateResult> {
  const clock = options.clock ?? systemClock;
  const answers: StatusAnswer[] = [];
  for (let round = 0; round < options.count; round += 1) {
    if (round > 0) await clock.sleep(options.intervalMs, options.signal);
    try {
      answers.push(...(await options.ask()));
    } catch (error) {
      answers.push({ what: messageOf(error), status: 0 });
    }
  }
  return answeredWithStatus(answers, options);
}
