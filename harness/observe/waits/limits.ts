import type { WaitOptions } from '../../core/deadline.ts';

/** What every wait takes. `what` completes the sentence "waited for …"; each wait has a default for it and for its limit. */
export type WaitLimits = Partial<Pick<WaitOptions<unknown>, 'what' | 'timeoutMs' | 'signal' | 'clock'>>;
