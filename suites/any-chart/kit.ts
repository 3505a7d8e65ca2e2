import { attachCluster } from '../../clusters/attach.ts';
import { createSuiteKit } from '../../harness/run/suite/kit.ts';
import { anyChart } from './suite.ts';

export const kit = createSuiteKit(anyChart, { attach: attachCluster });
export const { requirement } = kit;
