/** Dedicated nodes. One worker is tainted for a moment; everything else that runs meanwhile tolerates the taint. */
import { busyboxImage } from '../../fixtures/images/build.ts';
import { waitFor } from '../../harness/core/deadline.ts';
import { CheckFailure } from '../../harness/core/errors.ts';
import { expect } from '../../harness/suite/assertions.ts';
import { requirement } from './kit.ts';

const TAINT = { key: 'tools-only', value: 'true', effect: 'NoSchedule' };
const HOSTNAME = 'kubernetes.io/hostname';

requirement(
  'T-54',
  'tolerates tools-only=true:NoSchedule, which keeps other pods away',
  { release: 'none', disruptive: true, needs: ['node-access'] },
  async ({ lab, kube, observe }) => {
    const [node] = (await kube.list('Node', { labelSelector: 'workload-type=tools' })).filter(
      (n) => n.spec.unschedulable !== true,
    );
    if (!node) throw new CheckFailure('E_SELECTED_NOTHING', 'no node is labelled workload-type=tools');
    const { name } = node.metadata;
    const before = node.spec.taints ?? [];
    lab.defer(`restore the taints of ${name}`, async () => {
      await kube.patch('Node', { name }, { spec: { taints: before } });
    });
    await kube.patch('Node', { name }, { spec: { taints: [...before, TAINT] } });

    // Pinned to that node, so that it is the taint which decides.
    const release = await lab.install({
      set: ['replicaCount=1', `nodeSelector.${HOSTNAME.replaceAll('.', '\\.')}=${name}`],
    });
    for (const pod of await release.pods()) {
      expect(pod.spec.nodeName, `node of ${pod.metadata.name}`).toBe(name);
      observe(`${pod.metadata.name} runs on ${name}, tainted ${TAINT.key}=${TAINT.value}:${TAINT.effect}`);
    }

    await kube.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'intruder', namespace: release.namespace },
      spec: {
        terminationGracePeriodSeconds: 0,
        nodeSelector: { [HOSTNAME]: name },
        containers: [{ name: 'intruder', image: busyboxImage.ref, command: ['sleep', '3600'] }],
      },
    });
    const refusal = await waitFor({
      what: 'the scheduler to refuse a pod without the toleration',
      timeoutMs: 30_000,
      look: async () => {
        const pod = await kube.get('Pod', { name: 'intruder', namespace: release.namespace });
        if (pod?.spec.nodeName !== undefined) {
          return { done: false, seen: `runs on ${pod.spec.nodeName}`, hopeless: 'it was scheduled' };
        }
        const condition = pod?.status?.conditions?.find((c) => c.type === 'PodScheduled');
        return condition?.status === 'False'
          ? { done: true, value: condition.message ?? '' }
          : { done: false, seen: 'not looked at yet' };
      },
    });
    expect(refusal).toMatch(/untolerated taint/);
    observe(`without the toleration: ${refusal}`);
  },
);
