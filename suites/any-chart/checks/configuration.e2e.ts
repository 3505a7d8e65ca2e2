/** Configuration reaches the pods byte for byte, also after a change. Read on the nodes: an image may have no shell. */
import { CheckFailure, DoesNotFit } from '../../../harness/core/errors.ts';
import type { ModelWorkload } from '../../../harness/kube/manifests/model/model.ts';
import { lasting, modelOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { field, nameOf } from '../../../harness/kube/manifests/objects.ts';
import {
  filesAreCurrent,
  type FoundFile,
  isCurrent,
} from '../../../harness/observe/predicates/live/mounted-files.ts';
import {
  hasChecksum,
  hasNewName,
  isReloaded,
  lastingUses,
} from '../../../harness/observe/predicates/rendered/stale-configuration.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { rolledOut } from '../../../harness/observe/waits/rollout.ts';
import { asAdvice } from '../../../harness/run/suite/advice.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { candidatesOf, changed, contentsOf, type Effect, effectOf } from '../changing-value.ts';
import { requirement } from '../kit.ts';
import { runningWorkloads } from '../live-workloads.ts';
import { readMountedFiles } from '../pod-files.ts';
import { needHelmChart } from '../subject-form.ts';

const NAMESPACE = 'default';
/** The kubelet looks at a mounted object at least once a minute (syncFrequency), and may read it from a cache of a minute. */
const DELIVERED_MS = 180_000;
const ROLLOUT_MS = 600_000;

requirement(
  'X-20',
  'has the bytes of its ConfigMaps and Secrets in the files of every replica',
  { needs: ['node-access'] },
  async ({ release, cluster }) => {
    const { nodes } = cluster;
    if (!nodes) throw new Error('node-access is proven, and there are no nodes');
    const read = async (): Promise<FoundFile[]> =>
      readMountedFiles(release, nodes, await runningWorkloads(release));
    const first = await read();
    if (first.length === 0)
      throw new DoesNotFit('no container of the chart mounts a file of a ConfigMap or Secret');
    // A file by subPath stays as it is. Others may be on their way: an operator, a hook or the application has changed the object.
    const fixed = first.filter((file) => file.use === 'sub-path');
    await expect(
      fixed.every(isCurrent)
        ? eventually(async () => filesAreCurrent(await read()), { timeoutMs: DELIVERED_MS })
        : filesAreCurrent(fixed),
    ).toHold();
  },
);

requirement(
  'X-20',
  'brings a changed configuration to every pod',
  { release: 'none', disruptive: true, needs: ['node-access'], timeoutMs: 900_000, typicalMs: 130_000 },
  async ({ lab, kube, cluster, subject, observe }) => {
    const { nodes } = cluster;
    if (!nodes) throw new Error('node-access is proven, and there are no nodes');
    await needHelmChart(subject);
    const { objects } = await lab.render({ namespace: NAMESPACE });
    const uses = lastingUses(lasting(modelOf(objects, { namespace: NAMESPACE })));
    if (uses.length === 0)
      throw new DoesNotFit('no workload of the chart reads a ConfigMap or Secret of the chart');
    const release = await lab.install();
    const { set, effect } = await changingValue(lab, release);
    const changedNames = new Set(effect.configuration.map(nameOf));
    observe(`--set ${set.split('=', 1)[0] ?? ''} changes ${[...changedNames].join(', ')}`);

    const replaced = new Set(effect.templates.map(nameOf));
    const left: string[] = [];
    const complaints: string[] = [];
    const workloads = lasting(modelOf(release.objects, release));
    for (const { workload, use } of lastingUses(workloads)) {
      const { object } = use;
      if (!object || !changedNames.has(nameOf(object)) || replaced.has(workload.title)) continue;
      if (use.use === 'volume' || hasNewName(object) || isReloaded(workload, object)) continue;
      const says = `${workload.title}: container ${use.container} keeps the old ${nameOf(object)}`;
      // Without a checksum nothing is promised: X-37 says so.
      if (hasChecksum(workload))
        complaints.push(`${says}: the pod template has a checksum, which does not change with it`);
      else observe(says);
      left.push(`${workload.title} ${use.container} ${nameOf(object)}`);
    }
    await expect(
      nothingWrong('a change of the configuration changes the checksum of it', complaints),
    ).toHold();

    const before = new Map((await runningWorkloads(release)).map((one) => [one.model.title, one.pods]));
    await lab.upgrade(release, { set: [set], rollout: false });
    const keeping = new Set(
      workloads.filter((one) => strategyOf(one) !== undefined).map(({ title }) => title),
    );
    const updating = release.workloads().filter(({ kind, name }) => !keeping.has(`${kind} ${name}`));
    try {
      await Promise.all(updating.map((one) => rolledOut(kube, one, { timeoutMs: ROLLOUT_MS })));
    } catch (error) {
      if (!(error instanceof CheckFailure)) throw error;
      throw new DoesNotFit(
        `the chart does not become ready with the text that the check sets: ${error.message}`,
        {
          cause: error,
        },
      );
    }
    await expect(
      eventually(
        async () => {
          const now = (await runningWorkloads(release)).filter(
            ({ model }) => strategyOf(model) === undefined,
          );
          await hasten(release, now);
          const files = await readMountedFiles(release, nodes, now);
          return filesAreCurrent(files.filter((file) => !isLeft(now, file, left)));
        },
        { timeoutMs: DELIVERED_MS },
      ),
    ).toHold();
    const kept = (await runningWorkloads(release)).flatMap(({ model, pods }) => {
      const strategy = replaced.has(model.title) ? strategyOf(model) : undefined;
      const old = before.get(model.title)?.map(({ metadata }) => metadata.uid);
      return pods
        .filter(({ metadata }) => strategy !== undefined && old?.includes(metadata.uid))
        .map(
          ({ metadata }) =>
            `${metadata.name} of ${model.title} keeps the old configuration: its ${strategy ?? ''}`,
        );
    });
    // The manifests say so, and may mean it.
    await asAdvice('the update strategy asks for it', () =>
      expect(nothingWrong('the change replaces every pod that reads the configuration once', kept)).toHold(),
    );
  },
);

/**
 * A value of the chart that changes its configuration only.
 *
 * @throws DoesNotFit when none is found
 */
async function changingValue(lab: Lab, release: Release): Promise<{ set: string; effect: Effect }> {
  const { name: releaseName, namespace } = release;
  const values = await lab.helm.getValues({ releaseName, namespace }, { all: true });
  const used = new Map(
    lastingUses(lasting(modelOf(release.objects, release))).flatMap(({ use: { object } }) =>
      object ? [[nameOf(object), object] as const] : [],
    ),
  );
  for (const candidate of candidatesOf(values, contentsOf([...used.values()]))) {
    const set = changed(candidate);
    const [one, two] = await Promise.all([
      lab.render({ set: [set], namespace }).catch(refused),
      lab.render({ namespace }),
    ]);
    const effect = one && effectOf(two.objects, one.objects);
    if (effect?.configuration.some((object) => used.has(nameOf(object)))) return { set, effect };
  }
  throw new DoesNotFit(
    'no text among the values of the chart changes its ConfigMaps and Secrets, and nothing else',
  );
}

/** A chart may refuse the text, by its schema for example. */
function refused(error: unknown): undefined {
  if (error instanceof DoesNotFit) return undefined;
  throw error;
}

/** A strategy that keeps pods of the older revision. */
function strategyOf({ object }: ModelWorkload): string | undefined {
  const strategy = field(object['spec'], 'updateStrategy');
  if (field(strategy, 'type') === 'OnDelete') return 'updateStrategy is OnDelete';
  const partition = Number(field(field(strategy, 'rollingUpdate'), 'partition') ?? 0);
  return partition > 0 ? `updateStrategy has partition ${partition}` : undefined;
}

/** A change of a pod makes its kubelet look at the pod at once, its volumes included: otherwise it takes up to two minutes. */
async function hasten(
  { kube }: Release,
  workloads: Awaited<ReturnType<typeof runningWorkloads>>,
): Promise<void> {
  const annotations = { 'kindproof.dev/looked-at': new Date().toISOString() };
  for (const { namespace, pods } of workloads)
    for (const { metadata } of pods)
      await kube.patch('Pod', { name: metadata.name, namespace }, { metadata: { annotations } });
}

/** Whether the file belongs to a container that keeps old configuration without having promised otherwise. */
function isLeft(
  workloads: Awaited<ReturnType<typeof runningWorkloads>>,
  { pod, container, kind, name, use }: FoundFile,
  left: readonly string[],
): boolean {
  const owner = workloads.find(({ pods }) => pods.some(({ metadata }) => metadata.name === pod));
  return use === 'sub-path' && left.includes(`${owner?.model.title ?? ''} ${container} ${kind} ${name}`);
}
