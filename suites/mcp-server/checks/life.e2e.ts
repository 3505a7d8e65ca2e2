/** The life of a server: deployed from a registry entry, scaled, updated, rolled back, stopped, deleted. */
import { CheckFailure, DoesNotFit } from '../../../harness/core/errors.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import { parseQuantity } from '../../../harness/kube/api/quantity.ts';
import type { KubeObject, Pod } from '../../../harness/kube/api/types.ts';
import { namespaceOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { preStopSeconds } from '../../../harness/kube/manifests/pre-stop.ts';
import { hookEvents, nameOf } from '../../../harness/kube/manifests/objects.ts';
import { endpointsAre } from '../../../harness/observe/waits/endpoints.ts';
import { containerWaiting } from '../../../harness/observe/waits/containers.ts';
import { resourcesAre } from '../../../harness/observe/predicates/rendered/resources.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { type CallInFlight, callInFlight, secondsInFlight } from '../../mcp-client/call-in-flight.ts';
import { startMcpClient } from '../../mcp-client/mcp-client.ts';
import { endGracefully } from '../../any-chart/graceful-end.ts';
import { atEndpoint, type Calls, knownCalls } from '../answers.ts';
import { judged, type Meanwhile, servesMeanwhile, startControl } from '../calls-meanwhile.ts';
import { needVariable } from '../configuration.ts';
import { requirement } from '../kit.ts';
import { ownEntry } from '../platform/own-entry.ts';
import { platformOf } from '../platform/platform-of.ts';
import { documentedEntry, type RegistryEntry } from '../platform/registry-entry.ts';
import {
  environmentOf,
  handleOf,
  MCP_PATH,
  needMcp,
  portOf,
  renderServer,
  serverOf,
  serverPods,
  serviceOf,
  targetOf,
  urlOf,
} from '../server.ts';

/** The tool of the suite's own server that takes its time. */
const WAIT = 'wait';
const OWN = { release: 'none', disruptive: true, timeoutMs: 900_000 } as const;

requirement(
  'M-71',
  'is deployed from the documented registry entry, in its namespace, and reported as it is',
  OWN,
  async ({ lab, subject, observe }) => {
    const platform = await platformOf({ lab, subject });
    const entry = documentedEntry(await lab.namespace());
    await needEntry(lab, entry);
    const state = await platform.deploy('github-server', entry);
    expect(state, 'state after the deployment').toMatchObject({
      namespace: entry.namespace,
      phase: 'running',
      wanted: entry.replicas,
      ready: entry.replicas,
    });
    const release = platform.release('github-server');
    const live = { ...(await handleOf(release).read()), kind: handleOf(release).kind };
    await expect(resourcesAre(live, serverOf(release).container.name, entry.resources)).toHold();
    const service = await release.service(serviceOf(release).metadata.name);
    expect(service.spec.type, 'type of the Service').toBe(entry.service.type);
    expect(portOf(service).port, 'port of the Service').toBe(entry.service.port);
    const [pod] = await serverPods(release);
    if (!pod) throw new CheckFailure('E_SELECTED_NOTHING', 'the server has no pods');
    const token = (await environmentOf(release, pod)).get('GITHUB_TOKEN');
    // Not the value: it is a credential.
    expect(token !== undefined && token !== '' && !token.includes('{{'), 'GITHUB_TOKEN is filled in').toBe(
      true,
    );
    expect(
      (await platform.list(entry.namespace)).map(({ name }) => name),
      'servers',
    ).toEqual(['github-server']);
    await lab.replacePods(release, [pod]);
    // The status of the workload follows its pods with a delay.
    const reported = await eventually(async () => {
      const { phase, ready } = (await platform.status('github-server')) ?? { phase: 'unknown', ready: 0 };
      const wrong =
        phase === 'running' && ready === entry.replicas ? [] : [`it is ${phase}, with ${ready} ready pods`];
      return nothingWrong('the server is reported as running after a pod was replaced', wrong);
    });
    await expect(reported).toHold();
    observe(`${state.ready} of ${state.wanted} pods ready at revision ${state.revision}`);
  },
);

/** @throws DoesNotFit when the chart does not read the token of the entry, or its server needs more than the entry gives */
async function needEntry(lab: Lab, { resources }: RegistryEntry): Promise<void> {
  const { container } = await renderServer(lab, { set: ['github.token=token-of-nobody'] });
  const own = container.resources?.limits?.['memory'] ?? container.resources?.requests?.['memory'] ?? '0';
  if (parseQuantity(own) > parseQuantity(resources.limits.memory))
    throw new DoesNotFit(`the server has ${own} of memory, more than the entry gives it`);
}

requirement(
  ['M-26', 'M-28'],
  'loses no call while it is scaled from 1 to 3 to 1, and while its configuration changes',
  { ...OWN, typicalMs: 130_000 },
  async ({ lab, subject, kube, observe }) => {
    const platform = await platformOf({ lab, subject });
    const namespace = await lab.namespace();
    await platform.deploy('scaled', { ...(await ownEntry(lab, namespace)), replicas: 1 });
    const release = platform.release('scaled');
    const service = { name: serviceOf(release).metadata.name, namespace };
    const url = urlOf(release);
    const client = await startMcpClient(lab);
    const control = await startControl(lab);
    let calls: Calls = [];
    await expect(
      eventually(async () => {
        const session = atEndpoint((await client.talk({ url }))[0]);
        calls = knownCalls(session, ECHO);
        return nothingWrong(`${url} answers`, session.error === undefined ? [] : [session.error]);
      }),
    ).toHold();
    const all: Meanwhile[] = [];
    const during = async (what: string, change: () => Promise<unknown>): Promise<void> => {
      const both = (): Promise<unknown> => Promise.all([change(), control.update()]);
      all.push(await servesMeanwhile(client, { url, calls }, what, both));
    };
    for (const replicas of [3, 1]) {
      await during(`while it is scaled to ${replicas}`, async () => {
        const state = await platform.scale('scaled', replicas);
        expect(state, 'state after scaling').toMatchObject({ wanted: replicas, ready: replicas });
        await endpointsAre(kube, service, (await serverPods(release)).filter(isStaying));
      });
    }
    await during('while its configuration changes', () =>
      platform.update('scaled', { config: { KP_COLOUR: 'green' } }),
    );
    const lost = await control.lost();
    observe(`a control that was updated at the same time lost ${lost} requests`);
    for (const result of judged(all, lost)) await expect(result).toHold();
  },
);

/** Calls of each session; twice of them take about a second. Servers without the tool only list their tools. */
const ECHO: Calls = [{ tool: 'echo_message', arguments: { message: 'x' }, times: 20 }];

function isStaying({ metadata }: { metadata: { deletionTimestamp?: string } }): boolean {
  return metadata.deletionTimestamp === undefined;
}

requirement(
  ['M-63', 'M-64', 'M-65'],
  'serves on with its old pods while a new image cannot start, and returns to an earlier revision, configuration included',
  { ...OWN, typicalMs: 70_000 },
  async ({ lab, subject, kube, observe }) => {
    const platform = await platformOf({ lab, subject });
    const namespace = await lab.namespace();
    const { model } = await renderServer(lab);
    // A StatefulSet ends a pod before it starts another, so nothing can serve on.
    if (model.object.kind !== 'Deployment') throw new DoesNotFit(`${model.title} is no Deployment`);
    const first = await platform.deploy('rolled', { ...(await ownEntry(lab, namespace)), replicas: 1 });
    const release = platform.release('rolled');
    const colour = async (): Promise<string | undefined> => {
      const pods = (await serverPods(release)).filter(isStaying);
      const [pod] = pods;
      if (!pod) throw new CheckFailure('E_SELECTED_NOTHING', 'the server has no pods');
      return (await environmentOf(release, pod)).get('KP_COLOUR');
    };
    await platform.update('rolled', { config: { KP_COLOUR: 'green' } });
    needVariable(release, 'KP_COLOUR');
    expect(await colour(), 'KP_COLOUR at the second revision').toBe('green');
    const old = (await serverPods(release)).filter(isStaying).map(({ metadata }) => metadata.name);
    const client = await startMcpClient(lab);

    const image = { repository: 'kindproof/of-nobody', tag: '1.0.0' };
    await platform.update('rolled', { image }, { wait: false });
    const started = async (): Promise<Pod[]> =>
      (await serverPods(release).catch(noneYet)).filter(({ metadata }) => !old.includes(metadata.name));
    const stalled = await eventually(async () =>
      nothingWrong(
        'the update starts a new pod',
        (await started()).length > 0 ? [] : ['there is only the old one, or none'],
      ),
    );
    await expect(stalled).toHold();
    const [fresh] = await started();
    if (!fresh) throw new CheckFailure('E_SELECTED_NOTHING', 'the update started no pod');
    const { name } = serverOf(release).container;
    await containerWaiting(kube, fresh, name, ({ reason }) =>
      /ImagePull|ImageNeverPull|InvalidImage/.test(reason),
    );
    const url = urlOf(release);
    await expect(
      eventually(async () => {
        const { error } = atEndpoint((await client.talk({ url }))[0]);
        const complaints =
          error === undefined ? [] : [`error of a client while the new image cannot start: ${error}`];
        return nothingWrong(`${url} answers while the new image cannot start`, complaints);
      }),
    ).toHold();
    const restored = await platform.rollback('rolled');
    expect(restored, 'state after the rollback').toMatchObject({ phase: 'running', ready: 1 });
    expect(serverOf(release).container.image, 'image after the rollback').not.toContain('of-nobody');
    expect(await colour(), 'KP_COLOUR after the rollback').toBe('green');

    const original = await platform.rollback('rolled', first.revision);
    expect(await colour(), 'KP_COLOUR at the first revision').toBeUndefined();
    expect(original.revision, 'revision after two changes and two rollbacks').toBe(first.revision + 4);
    observe(`revisions ${first.revision} to ${original.revision}`);
  },
);

requirement(
  ['M-76', 'M-30'],
  'has no pod when it is stopped, and nothing of it is left when it is deleted; other servers stay',
  { ...OWN, typicalMs: 50_000 },
  async ({ lab, subject, kube, observe }) => {
    const platform = await platformOf({ lab, subject });
    const namespace = await lab.namespace();
    const entry = { ...(await ownEntry(lab, namespace)), replicas: 1 };
    await Promise.all(['stays', 'stopped', 'deleted'].map((name) => platform.deploy(name, entry)));
    const stopped = platform.release('stopped');
    const deleted = platform.release('deleted');
    const made = (await Promise.all([stopped, deleted].map(dependents))).flat();
    await platform.stop('stopped');
    await endpointsAre(kube, { name: serviceOf(stopped).metadata.name, namespace }, []);
    expect((await platform.status('stopped'))?.phase, 'phase of the stopped server').toBe('stopped');
    await platform.delete('deleted');
    await expect(platform.delete('deleted'), 'deleting it again').rejects.toBeInstanceOf(CheckFailure);
    expect(await platform.cleanup(namespace), 'what the clean-up deleted').toEqual(['stopped']);
    // What helm installed; hooks are left alone, and so are claims that the chart keeps on purpose.
    const installed = [deleted, stopped].flatMap((release) =>
      release.objects
        .filter((object) => hookEvents(object).length === 0 && !isKeptClaim(object))
        .map((object) => ({
          ...object,
          metadata: { ...object.metadata, namespace: namespaceOf(object, release) },
        })),
    );
    const gone = await eventually(
      async () => {
        const left = await Promise.all([...installed, ...made].map((object) => isLeft(kube, object)));
        return nothingWrong('nothing of the deleted servers is left', left.flat());
      },
      { timeoutMs: 60_000 },
    );
    await expect(gone).toHold();
    expect(
      (await platform.list(namespace)).map(({ name, phase }) => `${name} ${phase}`),
      'servers',
    ).toEqual(['stays running']);
    observe('stays is running, stopped and deleted are gone');
  },
);

/** What controllers have made for a release: its pods, their ReplicaSets, the EndpointSlices of its Services. */
async function dependents(release: Release): Promise<KubeObject[]> {
  const { kube, namespace } = release;
  const { model } = serverOf(release);
  const names = model.services.map(({ metadata }) => metadata.name);
  const [pods, replicaSets, slices] = await Promise.all([
    serverPods(release),
    kube.list('ReplicaSet', { namespace }),
    kube.list('EndpointSlice', { namespace }),
  ]);
  const own = replicaSets.filter(({ metadata }) =>
    (metadata.ownerReferences ?? []).some(({ name }) => name === model.object.metadata.name),
  );
  const ofServices = slices.filter(({ metadata }) =>
    names.includes(metadata.labels?.['kubernetes.io/service-name'] ?? ''),
  );
  // The API server leaves the kind out of the items of a list.
  return [
    ...pods.map((object) => ({ ...object, apiVersion: 'v1', kind: 'Pod' })),
    ...own.map((object) => ({ ...object, apiVersion: 'apps/v1', kind: 'ReplicaSet' })),
    ...ofServices.map((object) => ({ ...object, apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' })),
  ] as KubeObject[];
}

/** One line when the object exists, and is not another one of its name. */
async function isLeft(kube: KubeClient, object: KubeObject): Promise<string[]> {
  const { apiVersion, kind, metadata } = object;
  const found = await kube.get({ apiVersion, kind }, { name: metadata.name, namespace: metadata.namespace });
  const isOther = metadata.uid !== undefined && found?.metadata.uid !== metadata.uid;
  return found && !isOther ? [`${nameOf(object)} is left`] : [];
}

function isKeptClaim({ kind, metadata }: KubeObject): boolean {
  return kind === 'PersistentVolumeClaim' && metadata.annotations?.['helm.sh/resource-policy'] === 'keep';
}

/** An update that ends the old pods first has none meanwhile. */
function noneYet(error: unknown): Pod[] {
  if (error instanceof CheckFailure && error.code === 'E_SELECTED_NOTHING') return [];
  throw error;
}

requirement(
  'M-29',
  'ends on SIGTERM within its grace period, and answers the call that is in flight',
  { ...OWN, typicalMs: 50_000 },
  async ({ lab, observe }) => {
    needMcp((await renderServer(lab)).model);
    const release = await lab.install();
    const [pod] = await serverPods(release);
    if (!pod) throw new CheckFailure('E_SELECTED_NOTHING', 'the server has no pods');
    const call = await ownCall(lab, release, pod, observe);
    await endGracefully(release, [pod], observe);
    await call?.answered();
  },
);

/** A call in flight at SIGTERM; `undefined` when the server has no tool that takes its time. */
async function ownCall(
  lab: Lab,
  release: Release,
  pod: Pod,
  observe: (fact: string) => void,
): Promise<CallInFlight | undefined> {
  const { container } = serverOf(release);
  const port = targetOf(serviceOf(release), container);
  const hook = preStopSeconds(container) ?? 0;
  const seconds = secondsInFlight({ hook, grace: pod.spec.terminationGracePeriodSeconds ?? 30 });
  const url = `http://${pod.status?.podIP ?? ''}:${port ?? 0}${MCP_PATH}`;
  const client = await startMcpClient(lab);
  const [session] = await client.talk({ url });
  if (!session?.tools.includes(WAIT)) {
    observe(`no call was in flight: ${session?.error ?? `the server has no tool ${WAIT}`}`);
    return undefined;
  }
  const call = await callInFlight(client, { url, tool: WAIT, seconds, pod: pod.metadata.name });
  observe(`a call of ${seconds} s was in flight`);
  return call;
}
