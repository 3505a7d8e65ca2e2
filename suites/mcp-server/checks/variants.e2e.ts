/** Other values: each check installs a release of its own. */
import { waitFor } from '../../../harness/core/deadline.ts';
import { CheckFailure, DoesNotFit, InfrastructureError } from '../../../harness/core/errors.ts';
import type { Node, Pod, Service } from '../../../harness/kube/api/types.ts';
import { namespaceOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { field, nameOf } from '../../../harness/kube/manifests/objects.ts';
import { isExposition } from '../../../harness/observe/predicates/live/exposition.ts';
import { pendingAddress } from '../../../harness/observe/predicates/live/load-balancer.ts';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { endpointsAre } from '../../../harness/observe/waits/endpoints.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { CONTROL_LABELS, CONTROL_PORT, startRollingControl } from '../../any-chart/rolling-control.ts';
import { needHelmChart } from '../../any-chart/subject-form.ts';
import { openSession } from '../../k8s-mcp-agent/sessions/mcp-session.ts';
import { startMcpClient } from '../../mcp-client/mcp-client.ts';
import { atEndpoint, INFO, needTool, podOfAnswer } from '../answers.ts';
import { needVariable } from '../configuration.ts';
import { requirement } from '../kit.ts';
import { environmentOf, handleOf, portOf, serverOf, serverPods, serviceOf, urlOf } from '../server.ts';

const OWN = { release: 'none', disruptive: true, timeoutMs: 900_000 } as const;
/** For the kubelet to report that a container has ended. */
const REPORTED_MS = 20_000;

requirement('M-13', 'follows replicaCount: 3, then 0 without an endpoint', OWN, async ({ lab, kube }) => {
  const release = await lab.install({ set: ['replicaCount=3'] });
  const { replicas } = serverOf(release).model;
  if (!replicas || replicas.least !== replicas.most)
    throw new DoesNotFit('the manifests of the server state no fixed number of replicas');
  await expect(handleOf(release)).toHaveAvailableReplicas(3);
  await lab.upgrade(release, { set: ['replicaCount=0'] });
  await expect(handleOf(release)).toHaveAvailableReplicas(0);
  await endpointsAre(kube, { name: serviceOf(release).metadata.name, namespace: release.namespace }, []);
});

requirement(
  'M-18',
  'runs a server on stdio without port and Service, and keeps it running; it speaks MCP',
  OWN,
  async ({ lab, observe }) => {
    const release = await lab.install({ set: ['mcp.transport=stdio', 'replicaCount=1'] });
    const { model, container } = serverOf(release);
    expect(
      model.services.map(({ metadata }) => metadata.name),
      'Services of a server on stdio',
    ).toEqual([]);
    expect(container.ports ?? [], 'ports of a server on stdio').toEqual([]);
    const command = [...(container.command ?? []), ...(container.args ?? [])];
    if (command.length === 0) throw new DoesNotFit('the manifest of the server names no command to start');
    const [pod] = await serverPods(release);
    if (!pod) throw new CheckFailure('E_SELECTED_NOTHING', `${model.title} has no pods`);
    // A main process without an input ends at its start, before a session can.
    const runsOn = async (): Promise<PredicateResult> => {
      const recording = await release.settleRecording();
      const ended = recording
        .podHistory(pod.metadata.uid ?? pod.metadata.name)
        .flatMap(({ object }) => object.status?.containerStatuses ?? [])
        .find(
          ({ name, restartCount, state }) =>
            name === container.name && (restartCount > 0 || state?.terminated),
        );
      if (!ended) return nothingWrong(`container ${container.name} runs on`, []);
      const why = ended.state?.terminated ?? ended.lastState?.terminated;
      const code = JSON.stringify(field(why, 'exitCode') ?? '?');
      return nothingWrong(`container ${container.name} runs on`, [
        `container ${container.name} of ${pod.metadata.name} ended with exit code ${code}`,
      ]);
    };
    try {
      const session = await openSession(lab, pod, { command, container: container.name });
      const { serverInfo } = await session.initialize();
      const tools = await session.tools();
      expect(tools.length, 'tools of the server').toBeGreaterThan(0);
      session.endInput();
      await session.ended('at the end of its input', 30_000);
      observe(`${serverInfo.name} ${serverInfo.version}: ${tools.map(({ name }) => name).join(', ')}`);
    } catch (error) {
      // No session can be opened in a container that has ended. The kubelet reports the end later than the runtime refuses the session.
      await waitFor({
        what: `the end of container ${container.name} to be reported`,
        timeoutMs: REPORTED_MS,
        look: async () =>
          (await runsOn()).ok ? { done: false, seen: 'it runs' } : { done: true, value: undefined },
      }).catch(() => {});
      await expect(runsOn()).toHold();
      throw error;
    }
    await expect(runsOn()).toHold();
  },
);

requirement(
  'M-03',
  'keeps its data on a bound volume when its pod is replaced',
  { ...OWN, needs: ['default-storage-class'], typicalMs: 40_000 },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ set: ['persistence.enabled=true', 'replicaCount=1'] });
    const { model, container } = serverOf(release);
    if (model.claims.every(({ origin }) => origin === 'ephemeral'))
      throw new CheckFailure('E_NOT_RENDERED', `with persistence, ${model.title} mounts no claim`);
    const [before] = await serverPods(release);
    if (!before) throw new CheckFailure('E_SELECTED_NOTHING', `${model.title} has no pods`);
    // Of the pod: a StatefulSet makes its own claim for each.
    const mounts = claimMounts(before, container.name);
    const [mount] = mounts;
    if (!mount)
      throw new CheckFailure(
        'E_NOT_RENDERED',
        `container ${container.name} does not mount a claim to write to`,
      );
    const bound = await kube.get('PersistentVolumeClaim', {
      name: mount.claim,
      namespace: before.metadata.namespace,
    });
    expect(field(bound?.['status'], 'phase'), `phase of claim ${mount.claim}`).toBe('Bound');
    const file = `${mount.path}/kindproof`;
    await release.output(before, ['sh', '-c', `echo kept > ${file}`], container.name);
    await lab.replacePods(release, [before]);
    const after = (await serverPods(release)).find(
      (pod) =>
        pod.metadata.uid !== before.metadata.uid &&
        claimMounts(pod, container.name).some(({ claim }) => claim === mount.claim),
    );
    if (!after)
      throw new CheckFailure(
        'E_SELECTED_NOTHING',
        `no new pod of ${model.title} mounts claim ${mount.claim}`,
      );
    const content = await release.output(after, ['cat', file], container.name);
    expect(content.trim(), `content of ${file} in the new pod`).toBe('kept');
    observe(`claim ${mount.claim}, ${mount.path}`);
  },
);

/** Claims that a container of the pod mounts as a whole and may write to. */
function claimMounts({ spec }: Pod, container: string): { claim: string; path: string }[] {
  const mounts = spec.containers.find(({ name }) => name === container)?.volumeMounts ?? [];
  return mounts.flatMap(({ name, mountPath, subPath, readOnly }) => {
    const claim = spec.volumes?.find((volume) => volume.name === name)?.persistentVolumeClaim;
    if (!claim || claim.readOnly === true || readOnly === true || subPath !== undefined) return [];
    return [{ claim: claim.claimName, path: mountPath.replace(/\/$/, '') }];
  });
}

requirement(
  ['M-42', 'M-41'],
  'replaces its pods when its configuration changes, and gives them the variables of its Service',
  { ...OWN, typicalMs: 40_000 },
  async ({ lab, observe }) => {
    const release = await lab.install({ set: ['config.KP_COLOUR=blue', 'replicaCount=1'] });
    needVariable(release, 'KP_COLOUR');
    expect((await environmentOf(release, await onlyPod(release))).get('KP_COLOUR'), 'KP_COLOUR').toBe('blue');
    await lab.upgrade(release, { set: ['config.KP_COLOUR=green', 'replicaCount=1'] });
    const environment = await environmentOf(release, await onlyPod(release));
    expect(environment.get('KP_COLOUR'), 'KP_COLOUR after the change').toBe('green');
    // Of the new pod: the Service is older than it, and the kubelet knows the Service.
    const service = serviceOf(release);
    if (service.spec.clusterIP === 'None')
      throw new DoesNotFit(`Service ${service.metadata.name} has no address`);
    const prefix = service.metadata.name.toUpperCase().replaceAll('-', '_');
    const live = await release.service(service.metadata.name);
    expect(environment.get(`${prefix}_SERVICE_HOST`), `${prefix}_SERVICE_HOST`).toBe(live.spec.clusterIP);
    expect(environment.get(`${prefix}_SERVICE_PORT`), `${prefix}_SERVICE_PORT`).toBe(
      String(portOf(live).port),
    );
    observe(`${prefix}_SERVICE_HOST and ${prefix}_SERVICE_PORT`);
  },
);

/** The pod of a release with one replica; an old one may still be ending. */
async function onlyPod(release: Release): Promise<Pod> {
  const pods = await serverPods(release);
  const [pod] = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return pod ?? release.pod();
}

requirement(
  ['M-02', 'M-35', 'M-36'],
  'answers at a port of the nodes, and reports a load balancer that is pending instead of waiting for it',
  { ...OWN, needs: ['node-access'] },
  async ({ lab, kube, cluster, observe }) => {
    const release = await lab.install({ set: ['service.type=NodePort', 'replicaCount=1'] });
    const { name } = serviceOf(release).metadata;
    const service = await release.service(name);
    expect(service.spec.type, `type of Service ${name}`).toBe('NodePort');
    const { nodePort } = portOf(service);
    if (nodePort === undefined)
      throw new CheckFailure('E_NODE_PORT', `Service ${name} has no port on the nodes`);
    const [from] = await kube.list('Node');
    const nodes = reachableNodes(await kube.list('Node'), service, await serverPods(release));
    // From a node, which is not in the network of the pods. kube-proxy on each node learns of the port a moment later.
    const closed = async (port: number): Promise<string[]> => {
      const found: string[] = [];
      for (const address of nodes) {
        const script = `exec 3<>/dev/tcp/${address}/${port}`;
        const options = { reject: false };
        const command = ['timeout', '10', 'bash', '-c', script];
        const told = await cluster.nodes?.run(from?.metadata.name ?? '', command, options);
        if (told?.exitCode !== 0) found.push(address);
      }
      return found;
    };
    const answers = async (): Promise<PredicateResult> =>
      nothingWrong(
        `port ${nodePort} answers on ${nodes.length} nodes`,
        (await closed(nodePort)).map((address) => `${address}:${nodePort} accepts no connection`),
      );
    const result = await eventually(answers);
    if (!result.ok) await needOpenNodePorts(lab, closed);
    await expect(result).toHold();
    await lab.upgrade(release, { set: ['service.type=LoadBalancer', 'replicaCount=1'] });
    const balanced = await release.service(name);
    expect(balanced.spec.type, `type of Service ${name}`).toBe('LoadBalancer');
    observe(pendingAddress(balanced) ?? `Service ${name} has an external address`);
    observe(`port ${nodePort} of ${nodes.join(', ')}`);
  },
);

/** Addresses of the nodes at which the Service has to answer: in its family, and under externalTrafficPolicy Local only with a pod. */
function reachableNodes(nodes: readonly Node[], { spec }: Service, pods: readonly Pod[]): string[] {
  const isSix = spec.clusterIP?.includes(':') === true;
  const isLocal = spec['externalTrafficPolicy'] === 'Local';
  return nodes
    .filter(({ metadata }) => !isLocal || pods.some((pod) => pod.spec.nodeName === metadata.name))
    .flatMap(({ status }) => (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP'))
    .map(({ address }) => address)
    .filter((address) => address.includes(':') === isSix);
}

/** @throws InfrastructureError `E_CONTROL` when the node port of a server of the check is closed as well: by a firewall, for example */
async function needOpenNodePorts(lab: Lab, closed: (port: number) => Promise<string[]>): Promise<void> {
  const namespace = await lab.namespace();
  await startRollingControl(lab, namespace, 1);
  const own = (await lab.kube.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'control-on-nodes', namespace },
    spec: { type: 'NodePort', selector: CONTROL_LABELS, ports: [{ port: CONTROL_PORT }] },
  })) as Service;
  const { nodePort = 0 } = portOf(own);
  const result = await eventually(async () => {
    const complaints = (await closed(nodePort)).map(
      (address) => `${address}:${nodePort} accepts no connection`,
    );
    return nothingWrong('the node port of a control answers', complaints);
  });
  if (!result.ok)
    throw new InfrastructureError('E_CONTROL', `node ports are closed for a control, too: ${result.actual}`, {
      hint: 'Open the ports of NodePorts between the nodes, 30000 to 32767 by default.',
    });
}

requirement(
  'M-44',
  'keeps a client at one of two replicas with session affinity, so that its sessions work',
  OWN,
  async ({ lab, observe }) => {
    const values = ['env.MCP_SESSIONS=stateful', 'replicaCount=2'];
    const release = await lab.install({ set: [...values, 'sessionAffinity.enabled=true'] });
    const live = await release.service(serviceOf(release).metadata.name);
    expect(live.spec['sessionAffinity'], `sessionAffinity of Service ${live.metadata.name}`).toBe('ClientIP');
    const pods = (await serverPods(release)).map(({ metadata }) => metadata.name);
    const client = await startMcpClient(lab);
    const task = { url: urlOf(release), sessions: 4, calls: [{ tool: INFO, times: 5 }] };
    needTool(atEndpoint((await client.talk({ url: task.url }))[0]), INFO);
    const sticky = await eventually(async () => {
      const sessions = await client.talk(task);
      const errors = sessions
        .flatMap(({ error, calls }) => [error, ...calls.map((call) => call.error)])
        .filter((error) => error !== undefined);
      if (errors.length > 0) return nothingWrong('every session works', errors);
      const answered = new Set(
        sessions.flatMap(({ calls }) => calls.map(({ text = '' }) => podOfAnswer(text))),
      );
      const several = answered.size === 1 ? [] : [`a client was led to ${[...answered].join(' and ')}`];
      return {
        ...nothingWrong('every connection of the client leads to one replica', several),
        observed: [...answered],
      };
    });
    await expect(sticky).toHold();
    await observeWithout(lab, release, values, { client, task, replicas: pods.length, observe });
  },
);

/** Without affinity: the Service says so. Whether sessions break depends on the server, so it is only observed. */
async function observeWithout(
  lab: Lab,
  release: Release,
  values: readonly string[],
  {
    client,
    task,
    replicas,
    observe,
  }: {
    client: Awaited<ReturnType<typeof startMcpClient>>;
    task: Parameters<Awaited<ReturnType<typeof startMcpClient>>['talk']>[0];
    replicas: number;
    observe: (text: string) => void;
  },
): Promise<void> {
  await lab.upgrade(release, { set: [...values, 'sessionAffinity.enabled=false'] });
  const live = await release.service(serviceOf(release).metadata.name);
  expect(
    live.spec['sessionAffinity'] ?? 'None',
    `sessionAffinity of Service ${live.metadata.name}, switched off`,
  ).toBe('None');
  const broken = (): Promise<PredicateResult> =>
    client.talk(task).then((sessions) => {
      const ok = sessions.some(
        ({ error, calls }) => error !== undefined || calls.some((call) => call.error !== undefined),
      );
      return { ok, expected: 'a session breaks', actual: 'all sessions work' };
    });
  const { ok } = await eventually(broken, { timeoutMs: 10_000 });
  observe(
    `without affinity, over ${replicas} replicas: ${ok ? 'sessions break' : 'sessions work, so the server shares them'}`,
  );
}

requirement(
  'M-70',
  'answers a scrape of Prometheus at the port and path that its pods name, when metrics are enabled',
  OWN,
  async ({ lab }) => {
    const release = await lab.install({ set: ['metrics.enabled=true', 'replicaCount=1'] });
    const { model, container } = serverOf(release);
    const { annotations = {} } = model.template.metadata;
    const named = container.ports?.find(({ name = '' }) => /metrics|prometheus/.test(name))?.containerPort;
    const port = Number(annotations['prometheus.io/port'] ?? named);
    if (!Number.isInteger(port))
      throw new DoesNotFit('no annotation prometheus.io/port and no port metrics says where to scrape');
    const path = annotations['prometheus.io/path'] ?? '/metrics';
    for (const { metadata } of await serverPods(release)) {
      const answer = await release.http({ kind: 'Pod', name: metadata.name, port }, path);
      await expect(isExposition(answer, `GET ${path} of ${metadata.name} on port ${port}`)).toHold();
    }
  },
);

requirement('M-22', 'creates nothing when a value is bad', OWN, async ({ lab, kube, subject, observe }) => {
  await needHelmChart(subject);
  const set = ['replicaCount=-1'];
  if (!(await lab.refusal({ set }))) throw new CheckFailure('E_ACCEPTED', 'replicaCount=-1 is accepted');
  const namespace = await lab.namespace();
  const refused = await lab.helm.install(lab.source({ set, namespace })).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(refused, 'the error of an install with replicaCount=-1').toBeInstanceOf(Error);
  // Its own objects: other controllers put theirs into every namespace.
  const { objects } = await lab.render({ namespace });
  const left: string[] = [];
  for (const object of objects) {
    const { apiVersion, kind, metadata } = object;
    const ref = { name: metadata.name, namespace: namespaceOf(object, { namespace }) };
    const found = await kube.get({ apiVersion, kind }, ref);
    const owner = found?.metadata.annotations?.['meta.helm.sh/release-namespace'];
    if (found && (owner === undefined || owner === namespace)) left.push(`${nameOf(object)} exists`);
  }
  await expect(nothingWrong(`no object of the release is in namespace ${namespace}`, left)).toHold();
  expect(
    await lab.helm.status({ releaseName: lab.source().releaseName, namespace }),
    'the release',
  ).toBeUndefined();
  observe(`${set.join()} is refused, and nothing is created in namespace ${namespace}`);
});
