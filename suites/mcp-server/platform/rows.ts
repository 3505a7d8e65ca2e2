/** The requirements that are verified through a platform: the ones that a run with a platform in place of a chart checks. */
export const THROUGH_PLATFORM: readonly string[] = [
  ...['M-01', 'M-23', 'M-25', 'M-26', 'M-27', 'M-28', 'M-30', 'M-31', 'M-32', 'M-37', 'M-38', 'M-39'],
  ...['M-47', 'M-48', 'M-49', 'M-50', 'M-51', 'M-55', 'M-56', 'M-57', 'M-62', 'M-63', 'M-64'],
  ...['M-65', 'M-66', 'M-67', 'M-68', 'M-69', 'M-71', 'M-74', 'M-75', 'M-76', 'M-80'],
];
