import { createCommandRunner } from '../../../core/command.ts';
import { RUN_LABEL } from '../../../core/run-id.ts';
import { SERVICE_LABEL } from '../../suite/environment.ts';
import type { Task } from '../task.ts';

/** The programs that the suites' environments run outside the cluster. The checks start them; the run removes them by label. */
export const services: Task = {
  title: 'services',
  when: ({ plan }) => plan.suites.some(({ definition }) => definition.environment),
  setup: () => Promise.resolve(),
  async teardown({ plan, log }) {
    const command = createCommandRunner({ log });
    const mine = ['--filter', `label=${RUN_LABEL}=${plan.runId}`, '--filter', `label=${SERVICE_LABEL}`];
    const { stdout } = await command.run('docker', ['ps', '--all', '--quiet', ...mine]);
    const ids = stdout.split('\n').filter(Boolean);
    if (ids.length > 0) await command.run('docker', ['rm', '--force', '--volumes', ...ids]);
  },
};
