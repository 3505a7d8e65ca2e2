/** Declares one test for each fault of the suites under proof: their checks have to fail, for the stated reason. */
import { inject } from 'vitest';
import type { SuiteKit } from '../harness/run/suite/kit.ts';
import { Room } from '../harness/run/suite/room.ts';
import { CONCURRENCY } from '../harness/run/suite/worker-config.ts';

const own = inject('kindproof');
const later: (() => void)[] = [];
// The suites share a cluster.
const room = new Room(CONCURRENCY[own.mode]);
for (const { suite } of [own, ...(own.others ?? [])]) {
  const { kit } = (await import(`./${suite}/kit.ts`)) as { kit: SuiteKit };
  later.push(await kit.declareProofs((folder, file) => import(`./${folder}/checks/${file}.e2e.ts`), room));
}
for (const declare of later) declare();
