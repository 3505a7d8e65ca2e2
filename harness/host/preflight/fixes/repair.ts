import type { Finding } from '../finding.ts';

/** What to do about a finding: in words, and, where kindproof may do it, as a function with what it changes. */
export type Repair = Pick<Finding, 'remedy' | 'fix' | 'changes'>;
