/** Declares one test for each check of the suite that is to be run. One file, so that checks of all concerns run side by side. */
import { inject } from 'vitest';
import type { SuiteKit } from '../harness/run/suite/kit.ts';

const { suite } = inject('kindproof');
const { kit } = (await import(`./${suite}/kit.ts`)) as { kit: SuiteKit };
await kit.declareChecks((file) => import(/* @vite-ignore */ file));
