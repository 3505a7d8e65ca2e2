/** Where the replicas run: spread over the nodes, and only on nodes for tools. */
import { nodesAllowed } from '../../../harness/observe/predicates/live/placement.ts';
import { podCreated } from '../../../harness/observe/waits/pod-creation.ts';
import { podUnschedulable } from '../../../harness/observe/waits/pod-start.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import { valueBehind } from '../../../harness/run/suite/value-behind.ts';
import { withReplicas } from '../means.ts';
import { renderedServer, serverIn, serverOf } from '../server.ts';
import { serverPod, serverPods } from '../server-pods.ts';

const HOSTNAME = 'kubernetes.io/hostname';
const LABEL = 'workload-type';

requirement('T-35', 'spreads its 3 replicas over 3 nodes', async ({ release }) => {
  await expect(serverOf(release)).toBeSpreadOver(HOSTNAME, { maxSkew: 1 });
});

requirement(
  ['T-49', 'T-35'],
  'is spread again after one pod was replaced',
  { release: 'none', disruptive: true },
  async ({ lab, observe }) => {
    const release = await lab.install({ patches: withReplicas(await renderedServer(lab), 3) });
    const pod = await serverPod(release);
    await lab.replacePods(release, [pod]);
    await expect(serverOf(release)).toBeSpreadOver(HOSTNAME, { maxSkew: 1 });
    observe(`${pod.metadata.name} was deleted and replaced`);
  },
);

requirement('T-53', 'runs only on nodes labelled workload-type=tools', async ({ release, kube }) => {
  await expect(
    nodesAllowed(await serverPods(release), await kube.list('Node'), {
      nodeSelector: { [LABEL]: 'tools' },
    }),
  ).toHold();
});

requirement(
  'T-53',
  'stays Pending when no node has the label, and the scheduler gives that reason',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const server = await renderedServer(lab);
    const value = await valueBehind(lab, {
      documented: `nodeSelector.${LABEL}`,
      sets: `the node label ${LABEL} of ${server.workload.title}`,
      read: (rendered) => serverIn(rendered).workload.template.spec.nodeSelector?.[LABEL],
      other: 'none-such',
    });
    const release = await lab.install({
      set: [`${value}=none-such`],
      patches: withReplicas(server, 1),
      rollout: false,
    });
    const pod = await podCreated(kube, serverOf(release));
    const reason = /node affinity\/selector/;
    const message = await podUnschedulable(kube, pod.metadata, {
      what: 'a pod that the scheduler cannot place because of its node selector',
      timeoutMs: 90_000,
      message: reason,
    });
    expect(message).toMatch(reason);
    observe(message);
  },
);
