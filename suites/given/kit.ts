/** The kit of a suite of one file, in a worker. */
import { basename } from 'node:path';
import { attachCluster } from '../../clusters/attach.ts';
import { createSuiteKit, type SuiteKit } from '../../harness/run/suite/kit.ts';
import { kit as generic } from '../any-chart/kit.ts';
import type { OwnSuite } from './define-suite.ts';
import { definitionOf } from './definition-of.ts';

/** @param file absolute path of the file that exports the suite */
export function kitOf(suite: OwnSuite, file: string): SuiteKit {
  return createSuiteKit(definitionOf(suite, file), { attach: attachCluster, generic });
}

/** Declares the suite's own checks, and imports those of the suite for any chart. */
export function importFile(suite: OwnSuite, kit: SuiteKit, file: string) {
  const own = basename(file, '.e2e.ts');
  return async (_folder: string, name: string): Promise<void> => {
    if (name === own) suite.checks(kit);
    else await import(`../any-chart/checks/${name}.e2e.ts`);
  };
}
