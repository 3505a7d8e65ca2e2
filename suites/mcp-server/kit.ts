import { attachCluster } from '../../clusters/attach.ts';
import { createSuiteKit } from '../../harness/run/suite/kit.ts';
import { kit as generic } from '../any-chart/kit.ts';
import { mcpServer } from './suite.ts';

export const kit = createSuiteKit(mcpServer, { attach: attachCluster, generic });
export const { requirement } = kit;
