/** NetworkPolicies let through what the chart itself needs, and nobody else. */
import { waitFor, WaitTimeout } from '../../../harness/core/deadline.ts';
import { DoesNotFit } from '../../../harness/core/errors.ts';
import { listed } from '../../../harness/core/wording.ts';
import type { Service } from '../../../harness/kube/api/types.ts';
import { nameOf, ofKind } from '../../../harness/kube/manifests/objects.ts';
import type { ModelWorkload, SubjectModel } from '../../../harness/kube/manifests/model/model.ts';
import { answerOf, type TrafficEnd } from '../../../harness/kube/manifests/model/network-policies.ts';
import { targetPorts } from '../../../harness/kube/manifests/model/service-ports.ts';
import { lasting, modelOf, namespaceOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { toldServices, type ToldService } from '../../../harness/kube/manifests/model/told-services.ts';
import { policiesAdmitSomebody } from '../../../harness/observe/predicates/rendered/network-policies.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { requirement } from '../kit.ts';
import { modelOfRelease, runningWorkloads } from '../live-workloads.ts';
import { restrictingOf, withoutPolicies } from '../network-policies.ts';
import { startStandIn, type StandInPod } from '../stand-in-pod.ts';

/** For what is only rendered; messages show it. */
const NAMESPACE = 'default';
/** Until the network plugin has applied a change of the policies, or CoreDNS has forgotten a negative answer. */
const APPLIED_MS = 60_000;
const NONE = 'the chart renders no NetworkPolicy';

requirement(
  'X-28',
  'admits somebody to the ports of its Services where it restricts them',
  { release: 'none', static: true },
  async ({ lab }) => {
    const { objects } = await lab.render({ namespace: NAMESPACE });
    if (ofKind(objects, 'NetworkPolicy').length === 0) throw new DoesNotFit(NONE);
    const workloads = lasting(modelOf(objects, { namespace: NAMESPACE }));
    if (workloads.every((one) => restrictingOf(one, 'ingress').length === 0))
      throw new DoesNotFit('no NetworkPolicy of the chart restricts who may call its pods');
    await expect(policiesAdmitSomebody(workloads)).toHold();
  },
);

requirement(
  'X-28',
  'lets its parts call each other as they are told to, by name',
  { needs: ['network-policy'], disruptive: true, exclusive: true, timeoutMs: 600_000 },
  async ({ release, lab, observe }) => {
    const model = policed(release);
    const calls = callsOf(release, model).filter(isRestricted);
    if (calls.length === 0)
      throw new DoesNotFit('no workload that a policy restricts has a Service of the chart in its settings');
    const complaints: string[] = [];
    let judged = 0;
    const clients = new Map<ModelWorkload, StandInPod>();
    for (const call of calls) {
      const { from, told, namespace } = call;
      const client = clients.get(from) ?? (await standInFor(lab, release, from, clients.size));
      clients.set(from, client);
      // With the dot at the end, no search domain is tried: without DNS, each of them takes seconds.
      const host = `${told.service.metadata.name}.${namespace}.svc.cluster.local.`;
      if (await eventuallyConnects(client, host, told.port)) {
        judged += 1;
        observe(`${from.title} reaches ${told.words}`);
        continue;
      }
      const why = await whyNot(lab, release, client, call, host);
      if (why === undefined)
        observe(`${from.title} did not reach ${told.words} at once, and the policies are not the reason`);
      else {
        judged += 1;
        complaints.push(why);
      }
    }
    if (judged === 0)
      throw new DoesNotFit('what the chart tells its parts to call does not answer without policies either');
    await expect(
      nothingWrong('policies let through what the chart tells its parts to call', complaints),
    ).toHold();
  },
);

requirement(
  'X-28',
  'keeps out pods that no rule of its policies names',
  { needs: ['network-policy'], disruptive: true, exclusive: true, timeoutMs: 600_000 },
  async ({ release, lab, observe }) => {
    policed(release);
    const strangers = [
      { title: 'a pod of another namespace', name: 'stranger', namespace: await lab.namespace() },
      { title: 'a pod without labels of the own namespace', name: 'neighbour', namespace: release.namespace },
    ];
    const attempts: (Attempt & { name: string })[] = [];
    for (const { title, name, namespace } of strangers) {
      const end = { namespace, labels: {}, namespaceLabels: await labelsOf(release, namespace) };
      const found = await attemptsOf(release, end);
      const closed = found.filter(({ answer }) => answer === 'denied');
      for (const { to, answer } of found.filter((one) => one.answer !== 'denied'))
        observe(`${title}: the policies ${answer === 'allowed' ? 'allow' : 'may allow, by address,'} ${to}`);
      if (closed.length === 0) continue;
      const client = await startStandIn(lab, { name: `kindproof-${name}`, namespace, labels: {} });
      attempts.push(...closed.map((one) => ({ ...one, client, title, name })));
    }
    if (attempts.length === 0) throw new DoesNotFit('the policies close no port of a Service to other pods');
    // Proves that a later denial comes from the policies of the chart.
    const reachable: typeof attempts = [];
    await withoutPolicies(lab, release, async () => {
      for (const attempt of attempts) {
        if (await eventuallyConnects(attempt.client, attempt.host, attempt.port)) reachable.push(attempt);
        else observe(`${attempt.title} does not reach ${attempt.to} without policies either`);
      }
    });
    if (reachable.length === 0) throw new DoesNotFit('no port that the policies close is open without them');
    const complaints: string[] = [];
    for (const { client, host, port, title, to, policies } of reachable) {
      const denied = await within(`${to} to be closed`, async () => !(await client.connects(host, port)));
      if (denied) observe(`${title} is kept out of ${to}`);
      else complaints.push(`${title} reaches ${to}, which no rule of ${policies} allows`);
    }
    await expect(nothingWrong('policies keep out every pod that no rule names', complaints)).toHold();
  },
);

/** @throws DoesNotFit without a policy */
function policed(release: Release): SubjectModel {
  if (ofKind(release.objects, 'NetworkPolicy').length === 0) throw new DoesNotFit(NONE);
  return modelOfRelease(release);
}

interface Call {
  from: ModelWorkload;
  told: ToldService;
  namespace: string;
  /** The workloads behind the Service. */
  to: readonly ModelWorkload[];
}

/** The Services that the settings of lasting workloads name, without their own. */
function callsOf(release: Release, model: SubjectModel): Call[] {
  const workloads = lasting(model);
  const services = [...new Set(workloads.flatMap((one) => one.services))];
  return workloads.filter(isInPodNetwork).flatMap((from) => {
    const namespace = namespaceOf(from.object, release);
    const near = services.filter((one: Service) => namespaceOf(one, release) === namespace);
    return toldServices(from, near)
      .map((told) => ({
        from,
        told,
        namespace,
        to: workloads.filter((one) => one.services.includes(told.service)),
      }))
      .filter(({ to }) => !to.includes(from));
  });
}

function isRestricted({ from, to }: Call): boolean {
  return (
    restrictingOf(from, 'egress').length > 0 || to.some((one) => restrictingOf(one, 'ingress').length > 0)
  );
}

/** Policies say nothing about pods in the network of their node. */
function isInPodNetwork({ template }: ModelWorkload): boolean {
  return template.spec['hostNetwork'] !== true;
}

function standInFor(
  lab: Lab,
  release: Release,
  { object, template }: ModelWorkload,
  index: number,
): Promise<StandInPod> {
  const namespace = namespaceOf(object, release);
  return startStandIn(lab, {
    name: `kindproof-caller-${index + 1}`,
    namespace,
    labels: template.metadata.labels ?? {},
  });
}

/**
 * Why the policies are in the way.
 *
 * @returns `undefined` when they are not: the connection fails without them as well, or works with them after a while
 */
async function whyNot(
  lab: Lab,
  release: Release,
  client: StandInPod,
  { from, told, to, namespace }: Call,
  host: string,
): Promise<string | undefined> {
  const { name } = told.service.metadata;
  const address = (await release.kube.get('Service', { name, namespace }))?.spec.clusterIP;
  const byAddress =
    address !== undefined && address !== 'None' && (await client.connects(address, told.port));
  const open = await withoutPolicies(lab, release, () => eventuallyConnects(client, host, told.port));
  if (!open) return undefined;
  // Who serves may have become ready meanwhile. Only a connection that ends with the return of the policies was theirs to allow.
  if (
    !(await within(`${told.words} to be closed again`, async () => !(await client.connects(host, told.port))))
  )
    return undefined;
  const egress = restrictingOf(from, 'egress').map(nameOf);
  const start = `${from.title} has to call ${told.words}, and`;
  if (byAddress)
    return `${start} ${listed(egress)} keeps it from resolving the name: no egress rule allows DNS, port 53`;
  const ingress = to.flatMap((one) => restrictingOf(one, 'ingress').map(nameOf));
  const sides = [
    ...(egress.length > 0 ? [`egress of ${listed(egress)}`] : []),
    ...(ingress.length > 0 ? [`ingress of ${listed(ingress)}`] : []),
  ];
  return `${start} reaches it only without the policies: ${listed(sides)}`;
}

interface Attempt {
  client: StandInPod;
  title: string;
  host: string;
  port: number;
  /** `port 8080 of Deployment web`. */
  to: string;
  /** Names of the policies that restrict it. */
  policies: string;
}

/** Every port of a Service behind which a policy restricts the callers, on one pod of each workload, and what the policies answer. */
async function attemptsOf(
  release: Release,
  other: TrafficEnd,
): Promise<(Omit<Attempt, 'client' | 'title'> & { answer: ReturnType<typeof answerOf> })[]> {
  const running = await runningWorkloads(release);
  return running
    .filter(({ model }) => isInPodNetwork(model))
    .flatMap(({ model, namespace, pods }) => {
      const policies = restrictingOf(model, 'ingress');
      const host = pods.find(({ status }) => status?.podIP !== undefined)?.status?.podIP;
      if (policies.length === 0 || host === undefined) return [];
      const ports = new Map(targetPorts(model).map((port) => [port.number, port]));
      return [...ports.values()].map((port) => ({
        host,
        port: port.number,
        to: `port ${port.number} of ${model.title}`,
        policies: listed(policies.map(nameOf)),
        answer: answerOf(policies, 'ingress', { namespace }, other, port),
      }));
    });
}

async function labelsOf({ kube }: Release, namespace: string): Promise<Record<string, string>> {
  return (await kube.get('Namespace', { name: namespace }))?.metadata.labels ?? {};
}

function eventuallyConnects(client: StandInPod, host: string, port: number): Promise<boolean> {
  return within(`${host}:${port} to accept a connection`, () => client.connects(host, port));
}

async function within(what: string, holds: () => Promise<boolean>): Promise<boolean> {
  try {
    return await waitFor<boolean>({
      what,
      timeoutMs: APPLIED_MS,
      intervalMs: 1000,
      look: async () => ((await holds()) ? { done: true, value: true } : { done: false, seen: 'not yet' }),
    });
  } catch (error) {
    if (error instanceof WaitTimeout) return false;
    throw error;
  }
}
