/** What the chart adds to the API: admission webhooks and CustomResourceDefinitions. */
import { z } from 'zod';
import { CheckFailure, DoesNotFit, InfrastructureError } from '../../../harness/core/errors.ts';
import { waitFor } from '../../../harness/core/deadline.ts';
import { listed } from '../../../harness/core/wording.ts';
import { conditionsOf } from '../../../harness/kube/api/conditions.ts';
import { ApiError } from '../../../harness/kube/api/errors.ts';
import type { Condition, KubeEvent, KubeObject, Workload } from '../../../harness/kube/api/types.ts';
import { nameOf, ofKind } from '../../../harness/kube/manifests/objects.ts';
import type { ModelWorkload } from '../../../harness/kube/manifests/model/model.ts';
import { modelOf, namespaceOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import {
  type OwnWebhook,
  ownWebhooks,
  WEBHOOK_KINDS,
} from '../../../harness/kube/manifests/model/own-webhooks.ts';
import { isAboutCreation } from '../../../harness/observe/predicates/live/pod-creation.ts';
import { ownPodsAreAdmitted } from '../../../harness/observe/predicates/rendered/own-webhooks.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { podGone } from '../../../harness/observe/waits/pod-end.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import { notAboutSubject } from '../../../harness/run/suite/not-about-subject.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { requirement } from '../kit.ts';
import { type LiveWorkload, modelOfRelease, readWorkloads } from '../live-workloads.ts';
import { isHelmChart } from '../subject-form.ts';

/** For what is only rendered; messages show it. */
const NAMESPACE = 'default';
const WEBHOOK_API = 'admissionregistration.k8s.io/v1';
const DEFINITION = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' };
const NONE = 'the chart has no admission webhook of its own';

requirement(
  'X-33',
  'refuses no pod that has to answer its own webhook',
  { release: 'none', static: true },
  async ({ lab, observe }) => {
    const { objects } = await lab.render({ namespace: NAMESPACE });
    const place = { namespace: NAMESPACE };
    const rendered = WEBHOOK_KINDS.flatMap((kind) => ofKind(objects, kind));
    const webhooks = ownWebhooks(rendered, modelOf(objects, place), place);
    if (webhooks.length === 0) throw new DoesNotFit(NONE);
    // The labels that every namespace has. A chart may render its own namespace with more.
    const labelsOf = (namespace = NAMESPACE): Record<string, string> => ({
      ...ofKind(objects, 'Namespace').find(({ metadata }) => metadata.name === namespace)?.metadata.labels,
      'kubernetes.io/metadata.name': namespace,
    });
    await expect(ownPodsAreAdmitted(webhooks, labelsOf)).toHold();
    for (const { title, fails, servers } of webhooks) {
      const policy = fails ? 'Fail' : 'Ignore';
      observe(`${title}: failurePolicy ${policy}, served by ${listed(servers.map((one) => one.title))}`);
    }
  },
);

requirement(
  'X-33',
  'comes back after all pods that serve its webhooks were gone, and refuses no namespace meanwhile',
  { disruptive: true, exclusive: true, timeoutMs: 600_000 },
  async ({ release, lab, observe }) => {
    const webhooks = await liveWebhooks(release);
    if (webhooks.length === 0) throw new DoesNotFit(NONE);
    const servers = [...new Set(webhooks.flatMap((one) => one.servers))];
    const scalable = servers.filter(({ object }) => ['Deployment', 'StatefulSet'].includes(object.kind));
    if (scalable.length < servers.length)
      throw new DoesNotFit(
        'a DaemonSet serves a webhook, and cannot be stopped without a change of its pods',
      );
    const before = await stop(release, lab, scalable);
    if (before.size === 0) throw new DoesNotFit('no pod serves the webhooks of the chart');
    await namespaceComesBack(release, lab, webhooks);
    observe('a namespace was created, deleted and created again while nothing answered the webhooks');
    const from = (await release.settleRecording()).changes.length;
    for (const [workload, replicas] of before)
      await refusing(webhooks, `the update of ${workload.title}, which serves it`, () =>
        scale(release, workload, replicas),
      );
    const stopped = [...before.keys()];
    const locked = await podsComeBack(release, stopped, webhooks, from);
    await expect(nothingWrong('the pods that serve the webhooks come back by themselves', locked)).toHold();
    observe(`${listed(stopped.map(({ title }) => title))} came back while the webhooks were configured`);
  },
);

/** Those of the cluster that the release serves, whoever created them. */
async function liveWebhooks(release: Release): Promise<OwnWebhook[]> {
  const configurations = await Promise.all(
    WEBHOOK_KINDS.map(async (kind) => {
      const found = await release.kube.list({ apiVersion: WEBHOOK_API, kind });
      // The API server leaves the kind out of the items of a list.
      return found.map((one) => ({ ...one, kind }));
    }),
  );
  return ownWebhooks(configurations.flat(), modelOfRelease(release), release);
}

/**
 * Scales the workloads to 0 and waits until their pods are gone. How they end is X-25's question.
 *
 * @returns the replicas of those that had some; they get them back in any case
 */
async function stop(
  release: Release,
  lab: Lab,
  workloads: readonly ModelWorkload[],
): Promise<Map<ModelWorkload, number>> {
  const live = await readWorkloads(release, workloads);
  const before = new Map(
    live
      .map(({ model, object }) => [model, (object as Workload | undefined)?.spec.replicas ?? 1] as const)
      .filter(([, replicas]) => replicas > 0),
  );
  for (const [workload, replicas] of before) {
    lab.defer(`scale ${workload.title} to ${replicas}`, async () => scale(release, workload, replicas));
    await scale(release, workload, 0);
  }
  await notAboutSubject('E_NOT_STOPPED', 'the pods of the webhooks do not end', () =>
    Promise.all(live.flatMap(({ pods }) => pods.map((pod) => podGone(release.kube, pod)))),
  );
  return before;
}

async function scale(release: Release, { object }: ModelWorkload, replicas: number): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  const ref = { name: metadata.name, namespace: namespaceOf(object, release) };
  await release.kube.patch({ apiVersion, kind }, ref, { spec: { replicas } });
}

async function namespaceComesBack(
  release: Release,
  lab: Lab,
  webhooks: readonly OwnWebhook[],
): Promise<void> {
  const { kube } = release;
  const metadata = { name: `${release.namespace}-again`.slice(-63).replace(/^-+/, ''), labels: lab.labels };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata };
  lab.defer(`delete namespace ${metadata.name}`, () =>
    kube.teardown.delete('Namespace', { name: metadata.name }),
  );
  for (const what of ['a new namespace', 'a namespace that was deleted']) {
    await refusing(webhooks, `the creation of ${what}`, () => kube.create(namespace));
    await refusing(webhooks, 'the deletion of a namespace', () => kube.delete('Namespace', metadata));
    await namespaceGone(release, metadata.name, webhooks);
  }
}

/**
 * Waits until it is gone.
 *
 * @throws CheckFailure when one of the webhooks refuses to let its content go; InfrastructureError when anything else keeps it
 */
async function namespaceGone(
  { kube }: Release,
  name: string,
  webhooks: readonly OwnWebhook[],
): Promise<void> {
  await notAboutSubject('E_NAMESPACE', 'the cluster does not delete a namespace', () =>
    waitFor<undefined>({
      what: `namespace ${name} to be gone`,
      timeoutMs: 180_000,
      intervalMs: 1000,
      look: async () => {
        const namespace = await kube.get('Namespace', { name });
        if (!namespace) return { done: true, value: undefined };
        const left = conditionsOf(namespace).filter(({ status }) => status === 'True');
        return { done: false, seen: left.map(({ message = '' }) => message).join('; ') || 'terminating' };
      },
    }),
  ).catch((error: unknown) => {
    const webhook = error instanceof InfrastructureError ? calledIn(error.message, webhooks) : undefined;
    if (!webhook) throw error;
    throw lockedOut(webhook, 'the deletion of what is in a namespace', error as Error);
  });
}

function lockedOut(webhook: OwnWebhook, what: string, cause: Error): CheckFailure {
  return new CheckFailure(
    'E_LOCKED_OUT',
    `${webhook.title} keeps the API server from ${what} while none of its pods runs: ${cause.message}`,
    { cause, hint: 'Exclude it by namespaceSelector or rules, or use failurePolicy: Ignore.' },
  );
}

/** @throws CheckFailure when one of the webhooks, which nothing answers, is the reason of the refusal */
async function refusing(
  webhooks: readonly OwnWebhook[],
  what: string,
  request: () => Promise<unknown>,
): Promise<void> {
  try {
    await request();
  } catch (error) {
    const webhook = error instanceof ApiError ? calledIn(error.message, webhooks) : undefined;
    if (!webhook) throw error;
    throw lockedOut(webhook, what, error as ApiError);
  }
}

function calledIn(message: string, webhooks: readonly OwnWebhook[]): OwnWebhook | undefined {
  if (!message.includes('failed calling webhook')) return undefined;
  return webhooks.find(({ name }) => message.includes(`"${name}"`));
}

/**
 * Waits until all replicas are ready again.
 *
 * @returns why they never will be: a refusal by a webhook that only these pods can answer is final
 */
async function podsComeBack(
  release: Release,
  workloads: readonly ModelWorkload[],
  webhooks: readonly OwnWebhook[],
  from: number,
): Promise<string[]> {
  const locked = async (): Promise<string | undefined> => {
    const { changes } = await release.settleRecording();
    const events = changes
      .filter(({ seq, object }) => seq >= from && object.kind === 'Event')
      .map(({ object }) => object as KubeEvent);
    const live = await readWorkloads(release, workloads);
    const replicaSets = await replicaSetsOf(release, live);
    for (const webhook of webhooks) {
      const refusals = events.filter(({ message = '' }) => calledIn(message, [webhook]));
      // Other pods may only have to wait for those that answer.
      const isFinal = webhook.servers.every((server) => {
        const own = live.find(({ model }) => model === server);
        return own !== undefined && refusals.some((event) => isAboutCreation(event, own, replicaSets));
      });
      if (refusals[0] && isFinal)
        return `${webhook.title} refuses the pods that would have to answer it: ${refusals[0].message ?? ''}`;
    }
    return undefined;
  };
  return waitFor<string[]>({
    what: `${listed(workloads.map(({ title }) => title))} to have their pods back`,
    timeoutMs: release.rolloutMs,
    intervalMs: 1000,
    look: async () => {
      const live = await readWorkloads(release, workloads);
      const states = live.map(({ model, object }) => {
        const { spec, status } = object as Workload;
        return { title: model.title, ready: status?.readyReplicas ?? 0, wanted: spec.replicas ?? 1 };
      });
      if (states.every(({ ready, wanted }) => ready === wanted)) return { done: true, value: [] };
      const seen = states
        .map(({ title, ready, wanted }) => `${title} has ${ready} of ${wanted} ready`)
        .join(', ');
      const why = await locked();
      return why === undefined ? { done: false, seen } : { done: true, value: [why] };
    },
  });
}

async function replicaSetsOf({ kube }: Release, workloads: readonly LiveWorkload[]): Promise<Workload[]> {
  const namespaces = [...new Set(workloads.map(({ namespace }) => namespace))];
  return (await Promise.all(namespaces.map((namespace) => kube.list('ReplicaSet', { namespace })))).flat();
}

const definitionSchema = z.looseObject({
  spec: z.looseObject({ group: z.string(), names: z.looseObject({ kind: z.string() }) }),
});
type Definition = z.infer<typeof definitionSchema>;

requirement(
  'X-34',
  'has its CustomResourceDefinitions established before their objects, and brings new versions with an upgrade',
  async ({ release, lab, subject, observe }) => {
    const rendered = ofKind(release.objects, DEFINITION.kind).map(({ metadata }) => metadata.name);
    const inFolder = (await isHelmChart(subject)) ? await lab.helm.definitions(subject.chart) : [];
    const names = [...new Set([...rendered, ...inFolder])];
    if (names.length === 0) throw new DoesNotFit('the chart has no CustomResourceDefinition');
    const complaints: string[] = [];
    for (const name of names) {
      const live = await release.kube.get(DEFINITION, { name });
      if (!live) {
        complaints.push(`CustomResourceDefinition ${name} does not exist`);
        continue;
      }
      const definition = definitionSchema.parse(live);
      const conditions = conditionsOf(live);
      complaints.push(...troubles(name, conditions));
      for (const object of release.objects.filter((one) => isOf(one, definition)))
        complaints.push(...(await tooEarly(release, object, conditions)));
      observe(`${name}: ${conditions.map(({ type, status }) => `${type} ${status}`).join(', ')}`);
    }
    complaints.push(
      ...inFolder.map((name) => `${name} is in the folder crds, which helm upgrade leaves as it is`),
    );
    await expect(
      nothingWrong('every CustomResourceDefinition is established and follows an upgrade', complaints),
    ).toHold();
  },
);

function troubles(name: string, conditions: readonly Condition[]): string[] {
  const bad = conditions.filter(
    ({ type, status: value }) =>
      (['NamesAccepted', 'Established'].includes(type) && value !== 'True') ||
      (type === 'NonStructuralSchema' && value === 'True'),
  );
  const missing = conditions.some(({ type }) => type === 'Established') ? [] : ['it is not established yet'];
  return [...bad.map(({ type, message = '' }) => `${type}: ${message}`), ...missing].map(
    (why) => `CustomResourceDefinition ${name} is not served: ${why}`,
  );
}

function isOf({ apiVersion, kind }: KubeObject, { spec }: Definition): boolean {
  return kind === spec.names.kind && apiVersion.split('/')[0] === spec.group;
}

/** By the times of the API server, which have a resolution of one second. */
async function tooEarly(
  release: Release,
  object: KubeObject,
  conditions: readonly Condition[],
): Promise<string[]> {
  const { apiVersion, kind, metadata } = object;
  const live = await release.kube.get(
    { apiVersion, kind },
    { name: metadata.name, namespace: namespaceOf(object, release) },
  );
  const established = conditions.find(({ type }) => type === 'Established')?.lastTransitionTime;
  const created = live?.metadata.creationTimestamp;
  if (established === undefined || created === undefined || Date.parse(created) >= Date.parse(established))
    return [];
  return [
    `${nameOf(object)} was created at ${created}, before its definition was established at ${established}`,
  ];
}
