/** What the API server admits: Pod Security Standards and quotas. */
import { ApiError } from '../../../harness/kube/api/errors.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import { waitFor } from '../../../harness/core/deadline.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { PodSpec } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { barePodSpec } from '../../../harness/run/suite/bare-pod.ts';
import { requirement } from '../kit.ts';
import { withReplicas } from '../means.ts';
import { renderedServer, serverOf } from '../server.ts';

const enforce = (level: string): Record<string, string> => ({ 'pod-security.kubernetes.io/enforce': level });
/** More than any pod asks for: the quota refuses only what states nothing. */
const PLENTY = {
  'requests.cpu': '10k',
  'requests.memory': '1Pi',
  'limits.cpu': '10k',
  'limits.memory': '1Pi',
};
/** Without this step the pod relies on fsGroup: only root may change owners. */
const WITHOUT_ROOT = 'init.fixOwnership=false';

requirement(
  ['T-55', 'TA-19'],
  'runs in a namespace that enforces the Pod Security Standard restricted',
  { release: 'none', disruptive: true, needs: ['pod-security-admission'] },
  async ({ lab, observe }) => {
    const release = await lab.install({
      patches: withReplicas(await renderedServer(lab), 1),
      set: ['dind.enabled=false', WITHOUT_ROOT],
      namespaceLabels: enforce('restricted'),
    });
    await expect(serverOf(release)).toHaveAvailableReplicas(1);
    observe(`1 replica runs in ${release.namespace}`);
  },
);

requirement(
  ['T-37', 'TA-19'],
  'is refused with its Docker daemon under the Pod Security Standards restricted and baseline',
  { release: 'none', needs: ['pod-security-admission'] },
  async ({ lab, kube, observe }) => {
    const { spec } = (await renderedServer(lab, { set: ['dind.enabled=true'] })).workload.template;
    for (const level of ['restricted', 'baseline']) {
      const namespace = await lab.namespace(enforce(level));
      const refusal = await refusalOf(kube, namespace, spec);
      expect(refusal ?? 'admitted', `what ${level} says of the pod with a Docker daemon`).toMatch(
        /violates PodSecurity.*privileged/s,
      );
      observe(refusal ?? '');
    }
    const namespace = await lab.namespace(enforce('privileged'));
    expect(await refusalOf(kube, namespace, spec), 'what privileged refuses').toBeUndefined();
  },
);

requirement(
  'TA-20',
  'is admitted where a quota demands limits of every container',
  { release: 'none' },
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace();
    await kube.create({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'limits', namespace },
      spec: { hard: PLENTY },
    });
    await quotaCounts(kube, namespace);
    const { workload, container } = await renderedServer(lab);
    const refusal = await refusalOf(kube, namespace, workload.template.spec);
    expect(refusal, 'what the quota refuses').toBeUndefined();
    const { image } = container;
    const unlimited = barePodSpec('unlimited', { image });
    const containers = unlimited.containers.map((container) => ({ ...container, resources: {} }));
    const control = await refusalOf(kube, namespace, { ...unlimited, containers });
    expect(control, 'what the quota says of a pod without limits').toMatch(/must specify/);
    observe(`admitted; a pod without limits is refused: ${control ?? ''}`);
  },
);

/** What admission looks up: account and classes of the release do not exist in the namespace, or on the cluster. */
const OF_OTHER_OBJECTS = ['serviceAccountName', 'serviceAccount', 'priorityClassName', 'runtimeClassName'];

/** Until then the quota refuses every pod. */
function quotaCounts(kube: KubeClient, namespace: string): Promise<void> {
  return waitFor<undefined>({
    what: `the quota of ${namespace} to count`,
    timeoutMs: 60_000,
    look: async () => {
      const quota = await kube.get(
        { apiVersion: 'v1', kind: 'ResourceQuota' },
        { name: 'limits', namespace },
      );
      const status = quota?.['status'] as { hard?: Record<string, string> } | undefined;
      return status?.hard ? { done: true, value: undefined } : { done: false, seen: 'it has no status' };
    },
  });
}

/** Why the API server refuses a pod in a dry-run; `undefined` when it admits the pod. */
async function refusalOf(kube: KubeClient, namespace: string, spec: PodSpec): Promise<string | undefined> {
  // Without what other objects of the release have to exist for.
  const rest = Object.fromEntries(Object.entries(spec).filter(([key]) => !OF_OTHER_OBJECTS.includes(key)));
  try {
    await kube.create(
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'server', namespace }, spec: rest },
      { dryRun: true },
    );
    return undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return messageOf(error);
    throw error;
  }
}
