/** Dedicated nodes. It taints every worker for a moment, so nothing else may run beside it. */
import { busyboxImage } from '../../fixtures/images/build.ts';
import { waitFor } from '../../harness/core/deadline.ts';
import { expect } from '../../harness/suite/assertions.ts';
import { requirement } from './kit.ts';

const TAINT = { key: 'tools-only', value: 'true', effect: 'NoSchedule' };

requirement(
  'T-54',
  'tolerates tools-only=true:NoSchedule, which keeps other pods away',
  { release: 'none', disruptive: true, exclusive: true, needs: ['node-access'] },
  async ({ lab, kube, observe }) => {
    const nodes = (await kube.list('Node')).filter(
      (n) => n.metadata.labels?.['node-role.kubernetes.io/control-plane'] === undefined,
    );
    expect(nodes.length, 'worker nodes').toBeGreaterThan(0);
    for (const node of nodes) {
      const { name } = node.metadata;
      const before = node.spec.taints ?? [];
      lab.defer(`restore the taints of ${name}`, async () => {
        await kube.patch('Node', { name }, { spec: { taints: before } });
      });
      await kube.patch('Node', { name }, { spec: { taints: [...before, TAINT] } });
    }
    const release = await lab.install({ set: ['replicaCount=1'] });
    for (const pod of await release.pods()) {
      expect(pod.spec.nodeName, `node of ${pod.metadata.name}`).toBeDefined();
      observe(`${pod.metadata.name} runs on tainted node ${pod.spec.nodeName ?? ''}`);
    }

    await kube.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'intruder', namespace: release.namespace },
      spec: {
        terminationGracePeriodSeconds: 0,
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
