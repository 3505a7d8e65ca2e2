import { attachCluster } from '../../clusters/attach.ts';
import { createSuiteKit } from '../../harness/run/suite/kit.ts';
import { kit as generic } from '../any-chart/kit.ts';
import { registry } from './suite.ts';

export const kit = createSuiteKit(registry, { attach: attachCluster, generic });
export const { requirement } = kit;
