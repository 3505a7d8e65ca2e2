import { attachCluster } from '../../clusters/attach.ts';
import { createSuiteKit } from '../../harness/run/suite/kit.ts';
import { together } from './suite.ts';

export const kit = createSuiteKit(together, { attach: attachCluster });
export const { requirement } = kit;
