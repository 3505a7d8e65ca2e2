/** The kernel enforces what the security contexts state. Read on the nodes: an image may have no shell. */
import { busyboxImage } from '../../../fixtures/images/build.ts';
import { DoesNotFit, InfrastructureError } from '../../../harness/core/errors.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import type { NodeAccess } from '../../../harness/kube/cluster/cluster.ts';
import { allContainers } from '../../../harness/kube/manifests/objects.ts';
import {
  brokenPromises,
  isRestricting,
  missingCapabilities,
  overruledFields,
  type SeenProcess,
  statedContext,
} from '../../../harness/observe/predicates/live/security-context.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { startControlPod } from '../../../harness/run/suite/control-pod.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import { requirement } from '../kit.ts';
import { runningWorkloads } from '../live-workloads.ts';
import { seenContainers } from '../seen-processes.ts';

requirement(
  'X-19',
  'has its security contexts in force in every process of its containers',
  { needs: ['node-access'] },
  async ({ release, lab, cluster, observe, note }) => {
    const { nodes } = cluster;
    if (!nodes) throw new Error('node-access is proven, and there are no nodes');
    const running = await runningWorkloads(release);
    const statedBy = new Map(
      running.flatMap(({ model, pods }) =>
        pods.map(({ metadata }) => [metadata.uid, model.template.spec] as const),
      ),
    );
    const containers = await seenContainers(nodes, async () =>
      (await runningWorkloads(release)).flatMap(({ pods }) => pods),
    );
    const complaints: string[] = [];
    const blamed: Pod[] = [];
    let judged = 0;
    for (const { pod, container, processes } of containers) {
      const spec = statedBy.get(pod.metadata.uid);
      const rendered = spec && allContainers(spec).find((one) => one.container.name === container);
      // Added by an admission webhook, or of a pod that came meanwhile; nothing is stated about it.
      if (!rendered) continue;
      const stated = statedContext(spec, rendered.container);
      if (!isRestricting(stated)) continue;
      judged += 1;
      const title = `${pod.metadata.name}/${container}`;
      const overruled = overruledFields(stated, pod, container);
      if (overruled.length > 0)
        note(`${title}: the cluster has set ${overruled.join(', ')} to another value`);
      const left = Object.fromEntries(Object.entries(stated).filter(([name]) => !overruled.includes(name)));
      const broken = brokenPromises(left, processes);
      complaints.push(...broken.map((why) => `${title}: ${why}`));
      if (broken.length > 0) blamed.push(pod);
      const missing = missingCapabilities(left, processes);
      if (missing !== '') note(`${title}: is to have ${missing}, and its processes cannot have it`);
      observe(`${title}: ${summaryOf(processes)}`);
    }
    if (judged === 0)
      throw new DoesNotFit(
        'no running container of the chart has a security context that the kernel enforces',
      );
    await needEnforcement(lab, nodes, blamed);
    await expect(nothingWrong('the kernel enforces every security context', complaints)).toHold();
  },
);

function summaryOf([first, ...others]: readonly SeenProcess[]): string {
  if (!first) return 'no process';
  const { name, uids, gids, groups, capEff, capBnd, noNewPrivileges, seccomp, isRootReadOnly } = first;
  const facts = [
    `user ${[...new Set(uids)].join(' ')}`,
    `group ${[...new Set([...gids, ...groups])].join(' ')}`,
    `CapEff ${capEff ?? '?'}`,
    `CapBnd ${capBnd ?? '?'}`,
    `NoNewPrivs ${noNewPrivileges === undefined ? '?' : Number(noNewPrivileges)}`,
    `Seccomp ${seccomp ?? '?'}`,
    `/ ${isRootReadOnly === true ? 'read-only' : 'writable'}`,
  ];
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `${name}${more}: ${facts.join(', ')}`;
}

/** Where a container that does everything right is not restricted either, the node is at fault. */
async function needEnforcement(lab: Lab, nodes: NodeAccess, blamed: readonly Pod[]): Promise<void> {
  const names = [...new Set(blamed.flatMap(({ spec }) => spec.nodeName ?? []))];
  if (names.length === 0) return;
  const namespace = await lab.namespace();
  const context = {
    runAsNonRoot: true,
    runAsUser: 65534,
    runAsGroup: 65534,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const controls = await Promise.all(
    names.map((node, index) =>
      startControlPod(
        lab.kube,
        { name: `control-${index}`, namespace, node, image: busyboxImage.ref },
        (bare) => [{ ...bare, securityContext: context }],
      ),
    ),
  );
  const found = await seenContainers(nodes, () => Promise.resolve(controls));
  const faults = found.flatMap(({ pod, processes }) =>
    brokenPromises(context, processes).map((why) => `on ${pod.spec.nodeName ?? '?'} ${why}`),
  );
  if (faults.length === 0) return;
  throw new InfrastructureError(
    'E_CONTROL',
    `a node does not enforce the security context of a control pod either: ${faults.join('; ')}`,
    { hint: 'Check the container runtime of the node: nothing is known about the chart.' },
  );
}
