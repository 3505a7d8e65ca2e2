/** Which of the shared requirements the suite for any chart checks, and which of these every suite checks on its own subject. */

/** Checked by reading: rendered manifests, dry-runs, the shared release. They cost a suite next to nothing. */
export const BY_READING: readonly string[] = [
  'X-01',
  'X-02',
  'X-11',
  'X-12',
  'X-13',
  'X-14',
  'X-15',
  'X-17',
  'X-18',
  'X-19',
  'X-22',
  'X-23',
  'X-29',
  'X-31',
  'X-32',
  'X-34',
  'X-35',
  'X-36',
  'X-37',
];

/**
 * What every suite checks. A change of the version and a drained node take releases of their own, and no suite has checks of its own for
 * them.
 */
export const EVERY_SUITE: readonly string[] = [...BY_READING, 'X-04', 'X-07'];

/** Checked on releases of their own. Another suite checks them where a row of it says the same (`checkedBy`), or has no row like it. */
export const OWN_RELEASES: readonly string[] = [
  'X-06',
  'X-16',
  'X-20',
  'X-21',
  'X-24',
  'X-25',
  'X-26',
  'X-27',
  'X-28',
  'X-30',
  'X-33',
];
