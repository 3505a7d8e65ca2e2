/** What a suite of your own is written with: the package `kindproof`. See docs/writing-a-suite.md. */
import type { Topology } from '../../harness/kube/cluster/cluster.ts';
import type { Fault } from '../../harness/run/suite/definition.ts';
import type { SuiteKit } from '../../harness/run/suite/kit.ts';
import type { Requirement } from '../../harness/run/suite/requirements.ts';

export { CheckFailure, DoesNotFit } from '../../harness/core/errors.ts';
export { waitFor } from '../../harness/core/deadline.ts';
export { expect } from '../../harness/run/suite/assertions.ts';

/** A suite in one file, anywhere: `npm run e2e -- --suite ./my-suite/suite.ts`. Paths are relative to the file. */
export interface OwnSuite {
  /** kebab-case; none of this project's suites has it. */
  name: string;
  /** Default: the name. */
  title?: string;
  /** A chart, or a folder of plain manifests. `--chart` replaces it. */
  chart: string;
  values?: readonly string[];
  /** Default: the name of the suite. */
  releaseName?: string;
  /** The nodes of the cluster. Default: two workers. */
  topology?: Topology;
  requirements: readonly (Pick<Requirement, 'id' | 'requirement' | 'level' | 'checkedBy'> & {
    /** The document that states it. */
    source?: string;
  })[];
  /** Declares the checks, with the fixture `requirement`. */
  checks: (kit: Pick<SuiteKit, 'requirement'>) => void;
  /** The defects that the checks have to catch, with `--prove`. */
  faults?: readonly Fault[];
}

/** Gives the suite its types; the run reads it. */
export function defineSuite(suite: OwnSuite): OwnSuite {
  return suite;
}
