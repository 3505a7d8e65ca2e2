/** Declares one test for each check of the suite under test, all in one file, so that vitest runs them concurrently. */
import { inject } from 'vitest';
import type { SuiteKit } from '../harness/run/suite/kit.ts';

const { suite } = inject('kindproof');
const { kit } = (await import(`./${suite}/kit.ts`)) as { kit: SuiteKit };
await kit.declareChecks((folder, file) => import(`./${folder}/checks/${file}.e2e.ts`));
