/** Dedicated nodes. One worker is tainted temporarily; everything else that runs at the time tolerates the taint. */
import { busyboxImage } from '../../../fixtures/images/build.ts';
import { podUnschedulable } from '../../../harness/observe/waits/pod-start.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { createBarePod } from '../../../harness/run/suite/bare-pod.ts';
import { CheckSkipped } from '../../../harness/run/suite/check.ts';
import { requirement } from '../kit.ts';
import { onNode, withReplicas } from '../means.ts';
import { renderedServer } from '../server.ts';
import { serverPods } from '../server-pods.ts';

const TAINT = { key: 'tools-only', value: 'true', effect: 'NoSchedule' };

requirement(
  'T-54',
  'tolerates tools-only=true:NoSchedule, which repels other pods',
  { release: 'none', disruptive: true, needs: ['node-access'] },
  async ({ lab, kube, observe }) => {
    const [node] = (await kube.list('Node', { labelSelector: 'workload-type=tools' })).filter(
      (n) => n.spec.unschedulable !== true,
    );
    if (!node) throw new CheckSkipped('no node is labelled workload-type=tools');
    const { name } = node.metadata;
    const before = node.spec.taints ?? [];
    lab.defer(`restore the taints of ${name}`, async () => {
      await kube.teardown.patch('Node', { name }, { spec: { taints: before } });
    });
    await kube.patch('Node', { name }, { spec: { taints: [...before, TAINT] } });

    // Pinned to that node, so that only the taint decides.
    const server = await renderedServer(lab);
    const release = await lab.install({ patches: [...withReplicas(server, 1), onNode(server, name)] });
    for (const pod of await serverPods(release)) {
      expect(pod.spec.nodeName, `node of ${pod.metadata.name}`).toBe(name);
      observe(`${pod.metadata.name} runs on ${name}, tainted ${TAINT.key}=${TAINT.value}:${TAINT.effect}`);
    }

    const intruder = { name: 'intruder', namespace: release.namespace };
    await createBarePod(kube, { ...intruder, image: busyboxImage.ref, node: name });
    const refusal = await podUnschedulable(kube, intruder, {
      what: 'the scheduler to refuse a pod without the toleration',
    });
    expect(refusal).toMatch(/untolerated taint/);
    observe(`without the toleration: ${refusal}`);
  },
);
