/** What a platform reports while others change its servers, with which rights it works, and what it makes of an entry. */
import { z } from 'zod';
import { waitFor, WaitTimeout } from '../../../harness/core/deadline.ts';
import { DoesNotFit } from '../../../harness/core/errors.ts';
import { inventory } from '../../../harness/kube/api/inventory.ts';
import { parseQuantity } from '../../../harness/kube/api/quantity.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { namespaceRestored } from '../../../harness/observe/waits/namespace-restored.ts';
import { podGone } from '../../../harness/observe/waits/pod-end.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { CheckSkipped, type CheckContext } from '../../../harness/run/suite/check.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { imageValues } from '../image-values.ts';
import { requirement } from '../kit.ts';
import {
  grant,
  kubeconfigIn,
  privateFolder,
  readKubeconfig,
  serviceAccountToken,
  withToken,
} from '../platform/access.ts';
import { copiedTo } from '../platform/copied.ts';
import { failureOf } from '../platform/failure-of.ts';
import { platformUnderTest, SERVER_IMAGE } from '../platform/platform-of.ts';
import type { Platform, Right, ServerState } from '../platform/platform.ts';
import { oneOf, settingsOf } from '../platform/registry-entry.ts';
import { admit, heldBack, holdBackNewPods } from '../readiness-gate.ts';
import { handleOf } from '../server.ts';
import { differences, shapeOf } from '../shape.ts';

const OWN = { release: 'none', disruptive: true, timeoutMs: 420_000 } as const;

const DENIED = /forbidden|not allowed|denied|permission|cannot/i;
/** Verbs that change nothing. */
const READING = ['get', 'list', 'watch'];

/** Controllers and pods follow a change; a platform that reads the cluster follows at once. */
const FOLLOWS_MS = 60_000;

requirement(
  'M-37',
  'lists what the cluster has, also when others have scaled, deleted or created a server',
  OWN,
  async (context) => {
    const { lab, kube, observe } = context;
    const platform = await platformUnderTest(context);
    const namespace = await lab.namespace();
    const entry = oneOf(namespace);
    await platform.deploy('kept', entry);
    await platform.deploy('changed', entry);
    const release = platform.release('changed');
    await needNoOwner(release);
    // As they are before anybody changes them.
    const backup = release.objects;
    const lists = (when: string, place: string, expected: readonly string[]): Promise<void> =>
      comesToSay({ says: 'it lists', right: expected.join('; '), when, observe }, async () => {
        const servers = await platform.list(place);
        return servers.map(summary).toSorted().join('; ') || 'nothing';
      });
    const { kind, name } = handleOf(release);
    const scale = (replicas: number): Promise<unknown> =>
      kube.patch(kind, { name, namespace }, { spec: { replicas } }, { subresource: 'scale' });
    const kept = 'kept running, 1 of 1 ready';
    await scale(2);
    await lists('after others have scaled', namespace, ['changed running, 2 of 2 ready', kept]);
    await scale(0);
    await lists('after others have scaled to none', namespace, ['changed stopped, 0 of 0 ready', kept]);
    for (const { apiVersion, kind: other, metadata } of release.objects)
      await kube.delete({ apiVersion, kind: other }, { name: metadata.name, namespace });
    await lists('after others have deleted', namespace, [kept]);

    const place = await lab.namespace();
    await lab.record(place);
    for (const object of backup) await kube.create(copiedTo(place, object));
    await lists('after others have created', place, ['changed running, 1 of 1 ready']);
  },
);

/** Asks until the platform says what is right. `says`: how a sentence about it begins. */
async function comesToSay(
  { says, right, when, observe }: Record<'says' | 'right' | 'when', string> & Pick<CheckContext, 'observe'>,
  ask: () => Promise<string>,
): Promise<void> {
  const result = await eventually(
    async () => {
      const said = await ask();
      return nothingWrong(`${says} ${right} ${when}`, said === right ? [] : [`${says} ${said}`]);
    },
    { timeoutMs: FOLLOWS_MS },
  );
  await expect(result).toHold();
  observe(result.expected);
}

/** @throws DoesNotFit when a controller of the platform restores what others change: its own objects are the source of truth */
async function needNoOwner(release: Release): Promise<void> {
  const { metadata } = await handleOf(release).read();
  const [owner] = metadata.ownerReferences ?? [];
  if (owner) throw new DoesNotFit(`the workload belongs to ${owner.kind} ${owner.name}, which restores it`);
}

function summary({ name, phase, wanted, ready }: ServerState): string {
  return `${name} ${phase}, ${ready} of ${wanted} ready`;
}

requirement(
  ['M-55', 'M-56'],
  'is reported as pending without a ready pod when its pod is killed, and as running when the next one is ready',
  OWN,
  async (context) => {
    const { lab, kube, observe } = context;
    const platform = await platformUnderTest(context);
    const namespace = await lab.namespace();
    await platform.deploy('killed', oneOf(namespace));
    const release = platform.release('killed');
    const handle = handleOf(release);
    const reports = (when: string, phase: string, ready: number): Promise<void> =>
      comesToSay(
        {
          says: 'it is reported as',
          right: `${phase}, ${ready} ready, ${ready} available`,
          when,
          observe,
        },
        async () => {
          const state = await platform.status('killed');
          return `${state?.phase ?? 'absent'}, ${state?.ready ?? 0} ready, ${state?.available ?? ready} available`;
        },
      );
    await reports('after the deployment', 'running', 1);
    // The next pod is ready when the check says so, so no report can come too late.
    await holdBackNewPods(kube, handle);
    const first = await heldBack(kube, handle);
    await admit(kube, first);
    // The pod without a gate serves until then.
    await release.rolledOut();
    await reports('with a pod that was admitted', 'running', 1);
    await kube.delete('Pod', { name: first.metadata.name, namespace });
    await podGone(kube, first);
    const second = await heldBack(kube, handle);
    await reports('after its pod was killed', 'pending', 0);
    await admit(kube, second);
    await reports('when the next pod is ready', 'running', 1);
  },
);

requirement(
  'M-48',
  'works as an account of the cluster with the rights that it names, and says which right it lacks',
  OWN,
  async (context) => {
    const { lab, kube, observe } = context;
    const platform = await platformUnderTest(context);
    const rights = platform.rights();
    const wide = rights.flatMap(({ apiGroups, resources, verbs }) =>
      [apiGroups, resources, verbs].some((list) => list.includes('*'))
        ? [`${verbs.join(', ')} ${resources.join(', ')} of ${apiGroups.join(', ') || 'the core group'}`]
        : [],
    );
    await expect(nothingWrong('no right that it names is a wildcard', wide)).toHold();

    const namespace = await lab.namespace();
    const folder = await privateFolder(lab);
    const account = async (name: string, rules: readonly Right[]): Promise<Platform> => {
      const token = await serviceAccountToken(kube, namespace, name);
      await grant(kube, { namespace, name }, rules);
      const config = withToken(await readKubeconfig(lab.access.kubeconfig), token);
      return platform.as({ ...lab.access, kubeconfig: await kubeconfigIn(folder, name, config) });
    };
    const entry = oneOf(namespace);
    const names = async (one: Platform): Promise<string[]> =>
      (await one.list(namespace)).map(({ name }) => name);
    const manager = await account('manager', rights);
    await manager.deploy('granted', entry);
    expect(await names(manager), 'what an account with these rights lists').toEqual(['granted']);
    const denied = await failureOf(
      manager.list(await lab.namespace()),
      'a list of a namespace that the account may not read',
    );
    expect(denied, 'what is said about the list').toMatch(DENIED);

    const reading = rights.flatMap((right) => {
      const verbs = right.verbs.filter((verb) => READING.includes(verb));
      return verbs.length > 0 ? [{ ...right, verbs }] : [];
    });
    const reader = await account('reader', reading);
    expect(await names(reader), 'what an account lists that may only read').toEqual(['granted']);
    const before = await inventory(kube, namespace);
    const refused = await failureOf(
      reader.deploy('refused', entry),
      'a deployment by an account that may only read',
    );
    expect(refused, 'what is said about the deployment').toMatch(DENIED);
    await namespaceRestored(kube, namespace, before);
    await manager.delete('granted');
    observe(denied);
    observe(refused);
  },
);

requirement(
  'M-51',
  'consists of what the chart renders for the same entry, as far as the server notices',
  OWN,
  async (context) => {
    const { lab, subject, observe } = context;
    const platform = await platformUnderTest(context);
    const namespace = await lab.namespace();
    const entry = oneOf(namespace);
    await platform.deploy('compared', entry);
    const release = platform.release('compared');
    const image = subject.images.find(({ name }) => name === SERVER_IMAGE)?.ref ?? '';
    const { objects } = await lab.render({
      onlyChart: true,
      // The token of the platform is its own secret.
      set: [...settingsOf(entry), ...imageValues(image), 'github.token=of-nobody'],
      namespace,
    });
    const found = differences(shapeOf(objects, { namespace }), shapeOf(release.objects, release));
    // Not of the entry: another platform may tell its servers in another way what they need to know.
    const isFree = (fact: string): boolean =>
      /^(form of .*|port of the server|standard input|command|(requests|limits) of (?!cpu$|memory$).*)$/.test(
        fact,
      ) ||
      (fact.startsWith('variable ') && !(fact.slice('variable '.length) in entry.env));
    for (const { says } of found.filter(({ fact }) => isFree(fact)))
      observe(`a choice of the chart: ${says}`);
    const wrong = found.filter(({ fact }) => !isFree(fact)).map(({ says }) => says);
    await expect(nothingWrong(`the chart and ${platform.title} make the same server`, wrong)).toHold();
    observe(`${shapeOf(objects, { namespace }).size} facts compared`);
  },
);

const MEBI = 2 ** 20;
/** Until the metrics of new pods have been collected twice. */
const MEASURED_MS = 180_000;

const podMetrics = z.looseObject({
  containers: z.array(z.looseObject({ usage: z.object({ cpu: z.string(), memory: z.string() }) })),
});

requirement(
  'M-68',
  'is reported with the processor time and the memory that the cluster measures',
  { ...OWN, needs: ['metrics'] },
  async (context) => {
    const { lab, kube, observe } = context;
    const platform = await platformUnderTest(context);
    const namespace = await lab.namespace();
    await platform.deploy('measured', oneOf(namespace));
    const measured = async (): Promise<Usage | undefined> => {
      const pods = await kube.list(
        { apiVersion: 'metrics.k8s.io/v1beta1', kind: 'PodMetrics' },
        { namespace },
      );
      const containers = pods.flatMap((pod) => podMetrics.parse(pod).containers);
      const sum = (of: keyof Usage): number =>
        containers.reduce((all, { usage }) => all + parseQuantity(usage[of]), 0);
      return containers.length === 0 ? undefined : { cpu: sum('cpu'), memory: sum('memory') };
    };
    await waitFor<undefined>({
      what: 'metrics of the server',
      timeoutMs: MEASURED_MS,
      intervalMs: 2000,
      look: async () =>
        (await measured()) === undefined ? { done: false, seen: 'none' } : { done: true, value: undefined },
    }).catch((error: unknown) => {
      if (!(error instanceof WaitTimeout)) throw error;
      throw new CheckSkipped(`the cluster has metrics of its nodes, and none of the pod in ${namespace}`);
    });
    const reported = await eventually(async () => {
      const before = await measured();
      const said = await platform.usage('measured');
      const after = await measured();
      // A measurement that came meanwhile: either of the two is right.
      const right = [before, after].some((one) => one && isSame(one, said));
      return nothingWrong(
        `it reports ${after ? usageText(after) : 'nothing'}`,
        right ? [] : [`it reports ${usageText(said)}`],
      );
    });
    await expect(reported).toHold();
    observe(reported.expected);
  },
);

/** Cores, and bytes. */
interface Usage {
  cpu: number;
  memory: number;
}

/** Platforms round up or down: to thousandths of a core, and to mebibytes. */
function isSame(one: Usage, other: Usage): boolean {
  return Math.abs(one.cpu - other.cpu) <= 0.001 && Math.abs(one.memory - other.memory) <= MEBI;
}

function usageText({ cpu, memory }: Usage): string {
  return `${cpu.toFixed(3)} cores and ${Math.round(memory / MEBI)} MiB`;
}
