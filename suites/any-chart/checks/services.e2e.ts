/** Services lead to the right pods, on ports that listen. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import type { EndpointSlice, Service } from '../../../harness/kube/api/types.ts';
import { makesObjects } from '../../../harness/kube/manifests/object-references.ts';
import { isTcp } from '../../../harness/kube/manifests/model/service-ports.ts';
import type { ModelWorkload } from '../../../harness/kube/manifests/model/model.ts';
import { namespaceOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { endpointsMatch } from '../../../harness/observe/predicates/live/endpoints.ts';
import { pendingAddress } from '../../../harness/observe/predicates/live/load-balancer.ts';
import {
  oneOfSeveral,
  selectedTests,
  selectsServersOnly,
} from '../../../harness/observe/predicates/rendered/service-targets.ts';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { CheckContext } from '../../../harness/run/suite/check.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { startClientPod, type ClientPod } from '../../pods/client-pod.ts';
import { requirement } from '../kit.ts';
import { modelOfRelease, readWorkloads } from '../live-workloads.ts';

interface Target {
  service: Service;
  namespace: string;
  workloads: readonly ModelWorkload[];
}

requirement(
  ['X-22', 'X-01'],
  'leads with each Service to its own pods, on ports that listen',
  { timeoutMs: 420_000 },
  async ({ release, lab, observe, note }) => {
    const targets = targetsOf(release);
    if (targets.length === 0) throw new DoesNotFit('the chart renders no Service with a selector');
    let client: ClientPod | undefined;
    for (const target of targets) {
      const { service, workloads } = target;
      await expect(selectsServersOnly(service, workloads)).toHold();
      selectedTests(service, workloads).forEach(observe);
      if (await isMeantToBeEmpty(release, workloads)) {
        observe(
          `Service ${service.metadata.name} has no pod to lead to, because its workload wants none here`,
        );
        continue;
      }
      await expect(eventually(() => leadsToItsPods(release, target), { timeoutMs: 60_000 })).toHold();
      client ??= await startClientPod(lab, release);
      const caller = client;
      // CoreDNS caches a negative answer for up to 30 s.
      await expect(
        eventually(() => everyPortListens(release, target, caller), { timeoutMs: 60_000 }),
      ).toHold();
      await tryNodePorts(release, target, caller, { observe, note });
    }
    await notePending(release, targets, note);
  },
);

/** Every Service with a selector, and the workloads that it selects. */
function targetsOf(release: Release): Target[] {
  const model = modelOfRelease(release);
  const services = new Set([...model.workloads.flatMap(({ services: own }) => own), ...model.otherServices]);
  return [...services]
    .filter(({ spec }) => spec.type !== 'ExternalName' && Object.keys(spec.selector ?? {}).length > 0)
    .map((service) => ({
      service,
      namespace: namespaceOf(service, release),
      workloads: model.workloads.filter((workload) => workload.services.includes(service)),
    }));
}

/** Workloads with 0 replicas, and DaemonSets for which no node is meant: X-13 says so. */
async function isMeantToBeEmpty(release: Release, workloads: readonly ModelWorkload[]): Promise<boolean> {
  if (workloads.length === 0) return false;
  const live = await readWorkloads(release, workloads);
  return live.every(
    ({ model, pods }) =>
      pods.length === 0 && (model.replicas?.least === 0 || model.object.kind === 'DaemonSet'),
  );
}

/** Its endpoints are exactly the ready pods of the workloads that it selects. */
async function leadsToItsPods(
  release: Release,
  { service, namespace, workloads }: Target,
): Promise<PredicateResult> {
  const { name } = service.metadata;
  const live = await release.kube.get('Service', { name, namespace });
  if (!live) return nothingWrong(`Service ${name} exists`, ['it does not exist']);
  const slices = await slicesOf(release, name, namespace);
  // The selected pods may come from a controller: an operator, or a StatefulSet that labels each pod with its name.
  if (workloads.length === 0 || service.spec['publishNotReadyAddresses'] === true) {
    const count = slices.flatMap(({ endpoints }) => endpoints ?? []).length;
    const selector = JSON.stringify(service.spec.selector);
    // Whether there are any is then up to the operator, and to what the user asks of it.
    const isOthers = workloads.length === 0 && makesObjects(release.objects);
    const complaints = count > 0 || isOthers ? [] : [`it selects ${selector}, which no pod has`];
    return {
      ...nothingWrong(`Service ${name} leads to a pod`, complaints),
      observed: [`Service ${name}: ${count} endpoints${isOthers ? ', of pods that are not rendered' : ''}`],
    };
  }
  const pods = (await readWorkloads(release, workloads)).flatMap((workload) => workload.pods);
  return endpointsMatch(live, slices, pods);
}

function slicesOf({ kube }: Release, name: string, namespace: string): Promise<EndpointSlice[]> {
  return kube.list('EndpointSlice', { namespace, labelSelector: `kubernetes.io/service-name=${name}` });
}

/** Each port accepts a connection through the DNS name of the Service, and on each pod behind it. */
async function everyPortListens(
  release: Release,
  { service, namespace, workloads }: Target,
  client: ClientPod,
): Promise<PredicateResult> {
  const { name } = service.metadata;
  const host = `${name}.${namespace}.svc.cluster.local`;
  const isHeadless = service.spec.clusterIP === 'None';
  const slices = await slicesOf(release, name, namespace);
  const live = await readWorkloads(release, workloads);
  const ownerOf = (pod: string | undefined): string => {
    const owner = live.find(({ pods }) => pods.some(({ metadata }) => metadata.name === pod));
    return owner ? oneOfSeveral(workloads, owner.model) : '';
  };
  const behind = slices.flatMap((slice) =>
    (slice.endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses, targetRef }) =>
        (slice.ports ?? []).filter(isTcp).flatMap(({ port }) =>
          addresses.map((address) => ({
            host: address,
            port: port ?? 0,
            title: `port ${port ?? 0} of pod ${targetRef?.name ?? address}`,
            owner: ownerOf(targetRef?.name),
          })),
        ),
      ),
  );
  // Without an address of its own, its name leads to the pods: their ports count, not those of the Service.
  const front = isHeadless
    ? behind.slice(0, 1).map(({ port }) => ({ host, port, title: `${host}:${port}`, owner: '' }))
    : (service.spec.ports ?? [])
        .filter(isTcp)
        .map(({ port }) => ({ host, port, title: `${host}:${port}`, owner: '' }));
  const calls = [...behind, ...front];
  const complaints = withoutPort(service, slices);
  for (const { host: to, port, title, owner } of calls) {
    const refusal = await refusalOf(client, to, port);
    if (refusal !== undefined) complaints.push(`${title}${owner} accepts no connection: ${refusal}`);
  }
  return {
    ...nothingWrong(
      `every port of Service ${name} accepts connections from namespace ${client.namespace}`,
      complaints,
    ),
    observed: [`Service ${name}: ${calls.map(({ title }) => title).join(', ') || 'no TCP port'}`],
  };
}

/** What a connection attempt says; undefined when the connection is accepted. */
async function refusalOf(client: ClientPod, host: string, port: number): Promise<string | undefined> {
  const command = ['busybox', 'nc', '-w', '5', host, String(port), '-e', '/bin/true'];
  const { exitCode, stdout, stderr } = await client.run(command);
  return exitCode === 0 ? undefined : `${stdout}${stderr}`.trim() || 'no answer';
}

/**
 * Whether the node ports of a Service answer whose pods and own ports do. An answer is observed; none is noted and no failure, because a
 * firewall or the node proxy of the cluster decides about it, and no field of the chart.
 */
async function tryNodePorts(
  release: Release,
  target: Target,
  client: ClientPod,
  { observe, note }: Pick<CheckContext, 'observe' | 'note'>,
): Promise<void> {
  for (const { host, port, title } of await nodePorts(release, target)) {
    const refusal = await refusalOf(client, host, port);
    if (refusal === undefined) observe(`${title} answers`);
    else
      note(
        `${title} accepts no connection from a pod (${refusal}), though Service ${target.service.metadata.name} does`,
      );
  }
}

/** The TCP node ports of the Service, on a node with one of its pods: under externalTrafficPolicy Local, no other node forwards. */
async function nodePorts(
  release: Release,
  { service, namespace }: Target,
): Promise<{ host: string; port: number; title: string }[]> {
  const { kube } = release;
  const { type } = service.spec;
  if (type !== 'NodePort' && type !== 'LoadBalancer') return [];
  const { name } = service.metadata;
  const slices = await slicesOf(release, name, namespace);
  // The API server has chosen the ports that the manifest leaves out.
  const live = await kube.get('Service', { name, namespace });
  const isReady = ({ conditions }: { conditions?: { ready?: boolean } }): boolean =>
    conditions?.ready !== false;
  const withPods = slices.flatMap(({ endpoints }) =>
    (endpoints ?? []).filter(isReady).flatMap(({ nodeName }) => nodeName ?? []),
  );
  const node = (await kube.list('Node')).find((one) => withPods.includes(one.metadata.name));
  const host = node?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  if (host === undefined) return [];
  return (live?.spec.ports ?? []).filter(isTcp).flatMap(({ nodePort }) => {
    const title = `node port ${nodePort ?? 0} of node ${node?.metadata.name ?? ''}`;
    return nodePort === undefined ? [] : [{ host, port: nodePort, title }];
  });
}

/** Pods behind the Service that have no port of the name to which one of its ports leads: another workload, for example. */
function withoutPort({ metadata, spec }: Service, slices: readonly EndpointSlice[]): string[] {
  // The API server writes an empty list as null.
  const pods = (of: readonly EndpointSlice[]): Set<string> =>
    new Set(of.flatMap((slice) => (slice.endpoints ?? []).flatMap(({ targetRef }) => targetRef?.name ?? [])));
  const all = pods(slices);
  return (spec.ports ?? []).flatMap(({ name = '', port, targetPort }) => {
    const reached = pods(
      slices.filter((slice) => (slice.ports ?? []).some((one) => (one.name ?? '') === name)),
    );
    return [...all]
      .filter((pod) => !reached.has(pod))
      .map(
        (pod) =>
          `Service ${metadata.name} selects pod ${pod}, which has no port ${String(targetPort ?? port)} for its port ${name || port}`,
      );
  });
}

/** No load balancer is the fault of the cluster. */
async function notePending(
  { kube }: Release,
  targets: readonly Target[],
  note: (text: string) => void,
): Promise<void> {
  for (const { service, namespace } of targets) {
    if (service.spec.type !== 'LoadBalancer') continue;
    const live = await kube.get('Service', { name: service.metadata.name, namespace });
    const pending = live && pendingAddress(live);
    if (pending !== undefined) note(pending);
  }
}
