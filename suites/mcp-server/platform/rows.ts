/** The requirements that are verified through a platform: the ones that a run with a platform in place of a chart checks. */
export const THROUGH_PLATFORM: readonly string[] = [
  ...['M-26', 'M-28', 'M-30', 'M-63', 'M-64', 'M-65', 'M-71', 'M-76'],
];
