/** Other values: each check installs a release of its own. */
import { CheckFailure, DoesNotFit } from '../../../harness/core/errors.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { field } from '../../../harness/kube/manifests/objects.ts';
import { pendingAddress } from '../../../harness/observe/predicates/live/load-balancer.ts';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { endpointsAre } from '../../../harness/observe/waits/endpoints.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { needHelmChart } from '../../any-chart/subject-form.ts';
import { openSession } from '../../k8s-mcp-agent/sessions/mcp-session.ts';
import { startMcpClient } from '../../mcp-client/mcp-client.ts';
import { podOfAnswer } from '../answers.ts';
import { requirement } from '../kit.ts';
import { environmentOf, handleOf, portOf, serverOf, serverPods, serviceOf, urlOf } from '../server.ts';

const OWN = { release: 'none', disruptive: true } as const;

requirement('M-13', 'follows replicaCount: 3, then 0 without an endpoint', OWN, async ({ lab, kube }) => {
  const release = await lab.install({ set: ['replicaCount=3'] });
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
    const session = await openSession(lab, pod, { command, container: container.name });
    const { serverInfo } = await session.initialize();
    const tools = await session.tools();
    expect(tools.length, 'tools of the server').toBeGreaterThan(0);
    session.endInput();
    await session.ended('at the end of its input', 30_000);
    // The session started later, and has ended at the end of its input: a main process without an input would have ended before.
    const recording = await release.settleRecording();
    const ended = recording
      .podHistory(pod.metadata.uid ?? pod.metadata.name)
      .flatMap(({ object }) => object.status?.containerStatuses ?? [])
      .find(
        ({ name, restartCount, state }) => name === container.name && (restartCount > 0 || state?.terminated),
      );
    const why = ended?.state?.terminated ?? ended?.lastState?.terminated;
    await expect(
      nothingWrong(
        `container ${container.name} runs on`,
        ended === undefined
          ? []
          : [
              `container ${container.name} of ${pod.metadata.name} ended with exit code ${JSON.stringify(field(why, 'exitCode') ?? '?')}`,
            ],
      ),
    ).toHold();
    observe(`${serverInfo.name} ${serverInfo.version}: ${tools.map(({ name }) => name).join(', ')}`);
  },
);

requirement(
  'M-03',
  'keeps its data on a bound volume when its pod is replaced',
  { ...OWN, needs: ['default-storage-class'] },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ set: ['persistence.enabled=true', 'replicaCount=1'] });
    const { model, container } = serverOf(release);
    const [claim] = model.claims;
    if (!claim) throw new CheckFailure('E_NOT_RENDERED', `with persistence, ${model.title} mounts no claim`);
    const bound = await kube.get('PersistentVolumeClaim', { name: claim.name, namespace: release.namespace });
    expect(field(bound?.['status'], 'phase'), `phase of claim ${claim.name}`).toBe('Bound');
    const volume = model.template.spec.volumes?.find(
      (one) => field(one['persistentVolumeClaim'], 'claimName') === claim.name,
    );
    const mount = container.volumeMounts?.find(({ name }) => name === volume?.name);
    if (!mount)
      throw new CheckFailure(
        'E_NOT_RENDERED',
        `container ${container.name} does not mount claim ${claim.name}`,
      );
    const file = `${mount.mountPath}/kindproof`;
    const [before] = await serverPods(release);
    if (!before) throw new CheckFailure('E_SELECTED_NOTHING', `${model.title} has no pods`);
    await release.output(before, ['sh', '-c', `echo kept > ${file}`], container.name);
    const after = await lab.replacePods(release);
    expect(after.metadata.uid, 'uid of the new pod').not.toBe(before.metadata.uid);
    const content = await release.output(after, ['cat', file], container.name);
    expect(content.trim(), `content of ${file} in the new pod`).toBe('kept');
    observe(`claim ${claim.name}, ${mount.mountPath}`);
  },
);

requirement(
  ['M-42', 'M-41'],
  'replaces its pods when its configuration changes, and gives them the variables of its Service',
  OWN,
  async ({ lab, observe }) => {
    const release = await lab.install({ set: ['config.KP_COLOUR=blue', 'replicaCount=1'] });
    expect((await environmentOf(release, await onlyPod(release))).get('KP_COLOUR'), 'KP_COLOUR').toBe('blue');
    await lab.upgrade(release, { set: ['config.KP_COLOUR=green', 'replicaCount=1'] });
    const environment = await environmentOf(release, await onlyPod(release));
    expect(environment.get('KP_COLOUR'), 'KP_COLOUR after the change').toBe('green');
    // Of the new pod: the Service is older than it, and the kubelet knows the Service.
    const service = serviceOf(release);
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
    const nodes = (await kube.list('Node')).flatMap(({ status }) =>
      (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
    );
    const [from] = await kube.list('Node');
    // From a node, which is not in the network of the pods. kube-proxy on each node learns of the port a moment later.
    const answers = async (): Promise<PredicateResult> => {
      const complaints: string[] = [];
      for (const address of nodes) {
        const script = `exec 3<>/dev/tcp/${address}/${nodePort} && printf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3`;
        const told = await cluster.nodes?.run(
          from?.metadata.name ?? '',
          ['timeout', '10', 'bash', '-c', script],
          {
            reject: false,
          },
        );
        if (!/^HTTP\/1\.[01] 200 /.test(told?.stdout ?? ''))
          complaints.push(
            `${address}:${nodePort} does not answer 200: ${`${told?.stdout ?? ''}${told?.stderr ?? ''}`.trim().split('\n')[0] ?? ''}`,
          );
      }
      return nothingWrong(`port ${nodePort} answers on ${nodes.length} nodes`, complaints);
    };
    await expect(eventually(answers)).toHold();
    await lab.upgrade(release, { set: ['service.type=LoadBalancer', 'replicaCount=1'] });
    const balanced = await release.service(name);
    expect(balanced.spec.type, `type of Service ${name}`).toBe('LoadBalancer');
    observe(pendingAddress(balanced) ?? `Service ${name} has an external address`);
    observe(`port ${nodePort} of ${nodes.join(', ')}`);
  },
);

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
    const task = {
      url: urlOf(release),
      sessions: 4,
      calls: [{ tool: 'get_server_info', times: 5 }],
    };
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
  const left: string[] = [];
  for (const kind of ['Deployment', 'Service', 'Secret', 'Pod'] as const)
    left.push(...(await kube.list(kind, { namespace })).map(({ metadata }) => `${kind} ${metadata.name}`));
  const maps = await kube.list('ConfigMap', { namespace });
  // Kubernetes puts this one into every namespace.
  left.push(
    ...maps
      .filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt')
      .map(({ metadata }) => `ConfigMap ${metadata.name}`),
  );
  await expect(nothingWrong(`namespace ${namespace} is empty`, left)).toHold();
  expect(
    await lab.helm.status({ releaseName: lab.source().releaseName, namespace }),
    'the release',
  ).toBeUndefined();
  observe(`${set.join()} is refused, and namespace ${namespace} is empty`);
});
