/** Healthy not once but over a window. */
import type { Clock } from '../../../core/deadline.ts';
import { systemClock } from '../../../core/deadline.ts';
import { messageOf } from '../../../core/errors.ts';
import type { Pod } from '../../../kube/api/types.ts';
import type { PredicateResult } from '../result.ts';

export interface ProbeAnswer {
  what: string;
  /** HTTP status; 0 for no answer. */
  status: number;
}

/**
 * Every answer has the wanted status.
 *
 * @param options.inARow how many others one after the other are too many, as with a probe's `failureThreshold`; default 1
 */
export function consistency(
  answers: readonly ProbeAnswer[],
  { wanted = 200, inARow = 1 }: Pick<Consistently, 'wanted' | 'inARow'> = {},
): PredicateResult {
  const isBad = (answer: ProbeAnswer): boolean => answer.status !== wanted;
  const bad = answers.filter(isBad);
  const tally = new Map<string, number>();
  for (const a of bad) tally.set(`${a.what}: ${a.status}`, (tally.get(`${a.what}: ${a.status}`) ?? 0) + 1);
  return {
    ok: answers.length > 0 && longestRun(answers, isBad) < inARow,
    expected: `${answers.length || 'some'} of ${answers.length || 'some'} answers ${wanted}${orFewer(inARow)}`,
    actual: `${answers.length - bad.length} of ${answers.length} answers ${wanted}`,
    observed: [`${answers.length - bad.length} of ${answers.length} answers ${wanted}`],
    details: [...tally].map(([text, times]) => `${text} (×${times})`),
  };
}

export interface Consistently {
  /** How many rounds are asked. */
  count: number;
  intervalMs: number;
  /** One round; a rejection counts as no answer. */
  ask: () => Promise<readonly ProbeAnswer[]>;
  wanted?: number;
  /** How many answers of another status one after the other are too many; default 1. */
  inARow?: number;
  signal?: AbortSignal;
  clock?: Clock;
}

/** Asks again and again, and judges all answers together; it does not stop at the first bad one, so that the pattern shows. */
export async function consistently(options: Consistently): Promise<PredicateResult> {
  const clock = options.clock ?? systemClock;
  const answers: ProbeAnswer[] = [];
  for (let round = 0; round < options.count; round += 1) {
    if (round > 0) await clock.sleep(options.intervalMs, options.signal);
    try {
      answers.push(...(await options.ask()));
    } catch (error) {
      answers.push({ what: messageOf(error), status: 0 });
    }
  }
  return consistency(answers, options);
}

/** Length of the longest run of items that are bad. */
export function longestRun<T>(items: readonly T[], isBad: (item: T) => boolean): number {
  let [run, longest] = [0, 0];
  for (const item of items) {
    run = isBad(item) ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}

/** Completes "every answer is so". */
export function orFewer(inARow: number): string {
  return inARow > 1 ? `, or fewer than ${inARow} others in a row` : '';
}

/** The pods stayed ready without a break between two looks: same pods, same time of the last transition. */
export function readinessUnmoved(before: readonly Pod[], after: readonly Pod[]): PredicateResult {
  const transition = (pod: Pod): string => {
    const ready = pod.status?.conditions?.find((c) => c.type === 'Ready');
    return ready?.status === 'True' ? (ready.lastTransitionTime ?? 'unknown') : 'not ready';
  };
  const details = before.flatMap((pod) => {
    const name = pod.metadata.name;
    const later = after.find((p) => p.metadata.uid === pod.metadata.uid);
    if (!later) return [`${name} is gone`];
    const [was, is] = [transition(pod), transition(later)];
    return was === is && is !== 'not ready'
      ? []
      : [`${name}: ready since ${was}, later ${is === 'not ready' ? is : `since ${is}`}`];
  });
  return {
    ok: before.length > 0 && details.length === 0,
    expected: `${before.length} pods ready without a break`,
    actual: details.length === 0 ? 'no transition' : `${details.length} moved`,
    observed: before.map((p) => `${p.metadata.name} is ready since ${transition(p)}`),
    details,
  };
}
