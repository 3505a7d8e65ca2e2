/** Median, minimum and maximum of repeated measurements. Pure. */

export interface Summary {
  median: number;
  min: number;
  max: number;
  count: number;
}

/** `undefined` for no samples: a missing measurement is not zero. */
export function summarise(samples: readonly number[]): Summary | undefined {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  const [min] = sorted;
  const max = sorted.at(-1);
  if (upper === undefined || min === undefined || max === undefined) return undefined;
  const lower = sorted.length % 2 === 1 ? upper : (sorted[middle - 1] ?? upper);
  return { median: (lower + upper) / 2, min, max, count: sorted.length };
}
