/** The RuntimeClass that administrators or the GPU Operator provide: missing, wrong and correct. */
import { runtimeHandlerOf } from '../../../clusters/nodes/runtime-handler-of.ts';
import { GPU_NODE_LABELS } from '../../../clusters/topology.ts';
import { onePerNode } from '../../../harness/observe/predicates/live/one-per-node.ts';
import { rolledOut } from '../../../harness/observe/waits/rollout.ts';
import { waitFor } from '../../../harness/core/deadline.ts';
import { eventReported } from '../../../harness/observe/waits/events.ts';
import { diagnose } from '../../../harness/observe/diagnose/diagnose.ts';
import type { KubeEvent, KubeObject, Pod } from '../../../harness/kube/api/types.ts';
import type { ManifestPatch } from '../../../harness/kube/manifests/patch.ts';
import { podSpecOf } from '../../../harness/kube/manifests/objects.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { agentOf } from '../agent.ts';
import { daemonPods } from '../agent-pods.ts';
import { requirement } from '../kit.ts';

const HANDLER = 'nvidia';
const UNKNOWN_HANDLER = 'kindproof-no-such-handler';
/** Labels of the GPU Operator's objects. */
const OPERATOR_LABELS = {
  'app.kubernetes.io/component': 'gpu-operator',
  'app.kubernetes.io/managed-by': 'gpu-operator',
};

requirement(
  'G-21',
  'waits for a missing RuntimeClass, which an event names, and starts once it exists',
  { release: 'none', disruptive: true, needs: [`runtime-handler:${HANDLER}`] },
  async ({ lab, kube, observe }) => {
    const { release, runtimeClass } = await installedFor(lab);
    const absence = `RuntimeClass "${runtimeClass}" not found`;
    const refusal = await eventReported(
      kube,
      agentOf(release).namespace,
      {
        reason: 'FailedCreate',
        message: absence,
        about: { kind: 'DaemonSet', name: agentOf(release).name },
      },
      {
        what: `the DaemonSet's pods to be refused without RuntimeClass ${runtimeClass}`,
        unless: async () => {
          const pods = await daemonPods(release);
          const asked = pods[0]?.spec.runtimeClassName ?? 'none';
          return pods.length === 0
            ? undefined
            : `they need no RuntimeClass: ${pods.length} pods were created, with runtimeClassName ${asked}`;
        },
      },
    );
    expect(refusal, 'event FailedCreate of the DaemonSet').toContain(absence);
    observe(refusal);

    const before = (await agentOf(release).read()).metadata;
    await createRuntimeClass(lab, runtimeClass, HANDLER);
    // The controller retries with back-off; until then a wait would give up early.
    await rolledOut(kube, agentOf(release), { timeoutMs: 150_000, giveUpEarly: false });
    const after = (await agentOf(release).read()).metadata;
    const revision = ({ uid, generation }: typeof after) => `${uid ?? ''}, generation ${generation ?? 0}`;
    expect(revision(after), 'the recovered DaemonSet').toBe(revision(before));
    await expect(onePerNode(await daemonPods(release), await kube.list('Node'), GPU_NODE_LABELS)).toHold();
  },
);

requirement(
  'G-22',
  'does not start with a handler that no node has, and the diagnosis names it and the RuntimeClass',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const { release, runtimeClass } = await installedFor(lab, UNKNOWN_HANDLER);
    const { namespace } = release;
    const pods = await waitFor({
      what: `the nodes to refuse pods of RuntimeClass ${runtimeClass}, whose handler they do not have`,
      timeoutMs: 90_000,
      look: async () => {
        const all = await daemonPods(release);
        const running = all.find((pod) => pod.status?.phase === 'Running');
        if (running) {
          const asked = running.spec.runtimeClassName ?? 'none';
          const seen = `${running.metadata.name} runs, with runtimeClassName ${asked}`;
          return { done: false, seen, hopeless: 'it needs no such handler' };
        }
        // All pods, because the diagnosis may pick any; a sandbox may also fail for temporary reasons.
        const events = await kube.list('Event', { namespace });
        const missing = all.filter((pod) => !events.some((event) => refuses(event, pod, UNKNOWN_HANDLER)));
        if (all.length > 0 && missing.length === 0) return { done: true, value: all };
        const last = events.findLast((event) => event.reason === 'FailedCreatePodSandBox')?.message;
        return {
          done: false,
          seen: `${all.length - missing.length} of ${all.length} pods; ${last ?? 'no event FailedCreatePodSandBox'}`,
        };
      },
    });
    expect(pods.length, 'pods that are refused').toBeGreaterThan(0);
    const { causes, hint } = await diagnose(kube, { namespace });
    const root = causes.at(-1);
    expect(root?.object, 'root cause').toBe(`RuntimeClass ${runtimeClass}`);
    expect(root?.says, `cause reported for RuntimeClass ${runtimeClass}`).toContain(UNKNOWN_HANDLER);
    expect(hint, 'hint').toContain('containerd');
    observe(causes.map(({ object, says }) => `${object} ${says}`).join(' <- '));
  },
);

requirement(
  'G-24',
  "runs under the GPU Operator's RuntimeClass, with the same manifest",
  { release: 'none', disruptive: true, needs: ['node-access', `runtime-handler:${HANDLER}`] },
  async ({ lab, kube, cluster, observe }) => {
    const { release, runtimeClass } = await installedFor(lab, HANDLER, OPERATOR_LABELS);
    const made = await kube.get('RuntimeClass', { name: runtimeClass });
    await release.rolledOut();
    const pods = await daemonPods(release);
    await expect(onePerNode(pods, await kube.list('Node'), GPU_NODE_LABELS)).toHold();
    for (const pod of pods) {
      expect(pod.spec.runtimeClassName, `runtimeClassName of ${pod.metadata.name}`).toBe(runtimeClass);
      const handler = await runtimeHandlerOf(cluster.nodes, pod);
      expect(handler, `runtime handler of ${pod.metadata.name}`).toBe(HANDLER);
      observe(`${pod.metadata.name}: handler ${handler} on ${pod.spec.nodeName ?? ''}`);
    }
    const now = await kube.get('RuntimeClass', { name: runtimeClass });
    expect(now, "the operator's RuntimeClass").toEqual(made);
  },
);

requirement(
  'G-24',
  'renders the same DaemonSet, whether administrators or the GPU Operator provide the RuntimeClass',
  { release: 'none', static: true },
  async ({ lab, observe }) => {
    const [administrators, operator] = await Promise.all(
      ['runtimeClass', 'operator'].map(async (way) => {
        const set = ['runtimeClass', 'operator'].map((w) => `gpu.${w}.enabled=${w === way}`);
        return daemonSetOf((await lab.render({ set })).objects);
      }),
    );
    expect(operator?.['spec'], 'DaemonSet with gpu.operator').toEqual(administrators?.['spec']);
    observe(`both request RuntimeClass ${String(operator && podSpecOf(operator)?.runtimeClassName)}`);
  },
);

/** Whether the event says that the node could not create the pod's sandbox, and names this. */
function refuses({ reason, message, involvedObject }: KubeEvent, pod: Pod, named: string): boolean {
  const about = involvedObject.name === pod.metadata.name && reason === 'FailedCreatePodSandBox';
  return about && message?.includes(named) === true;
}

/** A release with its own RuntimeClass, named like its namespace, which other checks do not use. */
async function installedFor(
  lab: Lab,
  handler?: string,
  labels?: Record<string, string>,
): Promise<{ release: Release; runtimeClass: string }> {
  const namespace = await lab.namespace();
  if (handler !== undefined) await createRuntimeClass(lab, namespace, handler, labels);
  const patches: ManifestPatch[] = [
    {
      target: { kind: 'DaemonSet' },
      ops: [{ op: 'add', path: '/spec/template/spec/runtimeClassName', value: namespace }],
    },
  ];
  const release = await lab.install({ namespace, patches, rollout: false });
  return { release, runtimeClass: namespace };
}

async function createRuntimeClass(
  lab: Lab,
  name: string,
  handler: string,
  labels: Record<string, string> = {},
): Promise<void> {
  lab.defer(`delete RuntimeClass ${name}`, () => lab.kube.teardown.delete('RuntimeClass', { name }));
  await lab.kube.create({
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name, labels: { ...lab.labels, ...labels } },
    handler,
  });
}

function daemonSetOf(objects: readonly KubeObject[]): KubeObject | undefined {
  return objects.find((object) => object.kind === 'DaemonSet');
}
