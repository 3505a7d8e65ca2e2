/** A start that takes longer than the liveness probe would allow. */
import { waitFor } from '../../../harness/core/deadline.ts';
import { DoesNotFit } from '../../../harness/core/errors.ts';
import { hasCondition } from '../../../harness/kube/api/objects.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { podCreated } from '../../../harness/observe/waits/pod-creation.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { containerStatus } from '../../../harness/run/suite/release.ts';
import { requirement } from '../kit.ts';
import { withReplicas } from '../means.ts';
import { renderedServer, serverOf } from '../server.ts';
import { serversValue } from '../servers-value.ts';

/** The documented liveness probe kills a container after 30 + 2 × 10 s and its timeout. */
const DISCOVERY_SECONDS = 70;

requirement(
  ['T-19', 'TA-22'],
  'is not restarted while it discovers a tool server that answers late',
  { release: 'none', disruptive: true, typicalMs: 80_000 },
  async ({ lab, kube, observe }) => {
    const server = await renderedServer(lab);
    const late = `${await serversValue(lab)}.late`;
    const release = await lab.install({
      patches: withReplicas(server, 1),
      set: [`${late}.transport=stdio`, `${late}.command=sh`, `${late}.args={-c,sleep ${DISCOVERY_SECONDS}}`],
      rollout: false,
    });
    const { name, namespace } = (await podCreated(kube, serverOf(release))).metadata;
    const pod = await waitFor<Pod>({
      what: `pod ${name} to be ready or restarted`,
      timeoutMs: 240_000,
      look: async () => {
        const now = await kube.get('Pod', { name, namespace });
        const isOver = now && (hasCondition(now, 'Ready') || restartsOf(now) > 0);
        return isOver
          ? { done: true, value: now }
          : { done: false, seen: now?.status?.phase ?? 'it is gone' };
      },
    });
    expect(restartsOf(pod), `restarts of ${name} during its slow start`).toBe(0);
    const main = containerStatus(pod, server.container.name);
    const startedAt = Date.parse(main.state?.running?.startedAt ?? '');
    const readyAt = Date.parse(
      pod.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '',
    );
    const took = (readyAt - startedAt) / 1000;
    if (took < DISCOVERY_SECONDS - 1)
      throw new DoesNotFit(`it was ready after ${took} s: it does not wait for its tool servers`);
    observe(`${name} was ready after ${took} s, without a restart`);
  },
);

function restartsOf({ status }: Pod): number {
  return (status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}
