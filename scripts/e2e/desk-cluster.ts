import { UsageError } from '../../harness/core/errors.ts';

/**
 * Name of the cluster of --keep and --reuse: one on a machine, so that the next run finds it. KINDPROOF_DESK names a second one:
 * `KINDPROOF_DESK=gpu` is `kp-desk-gpu`.
 *
 * @throws UsageError when the name is not valid in the name of a cluster
 */
export function deskCluster(env: NodeJS.ProcessEnv): string {
  const desk = env['KINDPROOF_DESK'] ?? '';
  if (desk === '') return 'kp-desk';
  if (/^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$/.test(desk)) return `kp-desk-${desk}`;
  throw new UsageError(
    'E_OPTION',
    `KINDPROOF_DESK is "${desk}", which is not valid in the name of a cluster`,
    {
      hint: 'Use at most 20 lower-case letters, digits and dashes.',
    },
  );
}
