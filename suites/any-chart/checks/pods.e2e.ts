/** How pods end. Each check works on a release of its own. */
import { endGracefully } from '../graceful-end.ts';
import { requirement } from '../kit.ts';
import { runningWorkloads } from '../live-workloads.ts';

requirement(
  'X-25',
  'ends its pods by themselves, within their grace period',
  { release: 'none', disruptive: true, timeoutMs: 600_000, typicalMs: 70_000 },
  async ({ lab, observe }) => {
    const release = await lab.install();
    const workloads = await runningWorkloads(release);
    const first = workloads.flatMap(({ pods }) => pods.slice(0, 1));
    await endGracefully(release, first, observe);
  },
);
