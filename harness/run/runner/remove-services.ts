import { createCommandRunner } from '../../core/command.ts';
import { RUN_LABEL } from '../../core/run-id.ts';
import { SERVICE_LABEL } from '../suite/environment.ts';
import type { TestRun } from './test-run.ts';

/** Removes the programs that the suites' environments started outside the cluster, by their labels. */
export async function removeServices({ plan, log }: Pick<TestRun, 'plan' | 'log'>): Promise<void> {
  if (!plan.suites.some(({ definition }) => definition.environment)) return;
  const command = createCommandRunner({ log });
  const mine = ['--filter', `label=${RUN_LABEL}=${plan.runId}`, '--filter', `label=${SERVICE_LABEL}`];
  const { stdout } = await command.run('docker', ['ps', '--all', '--quiet', ...mine]);
  const ids = stdout.split('\n').filter(Boolean);
  if (ids.length > 0) await command.run('docker', ['rm', '--force', '--volumes', ...ids]);
}
