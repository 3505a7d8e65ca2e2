/** Declares one test for each fault of the suite under proof: its checks have to fail, for the stated reason. */
import { inject } from 'vitest';
import type { SuiteKit } from '../harness/run/suite/kit.ts';

const { suite } = inject('kindproof');
const { kit } = (await import(`./${suite}/kit.ts`)) as { kit: SuiteKit };
await kit.declareProofs((folder, file) => import(`./${folder}/checks/${file}.e2e.ts`));
