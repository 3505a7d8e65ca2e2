/** The life of a server: deployed from a registry entry, scaled, updated, rolled back, stopped, deleted. */
import { CheckFailure } from '../../../harness/core/errors.ts';
import { nameOf } from '../../../harness/kube/manifests/objects.ts';
import { endpointsAre } from '../../../harness/observe/waits/endpoints.ts';
import { containerWaiting } from '../../../harness/observe/waits/containers.ts';
import { resourcesAre } from '../../../harness/observe/predicates/rendered/resources.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { startMcpClient } from '../../mcp-client/mcp-client.ts';
import { servesMeanwhile } from '../calls-meanwhile.ts';
import { requirement } from '../kit.ts';
import { helmPlatform } from '../platform/helm-platform.ts';
import { documentedEntry, type RegistryEntry } from '../platform/registry-entry.ts';
import { environmentOf, handleOf, portOf, serverOf, serverPods, serviceOf, urlOf } from '../server.ts';

const OWN = { release: 'none', disruptive: true } as const;

/** The documented entry, small enough for a machine with two cores. */
function smallEntry(namespace: string): RegistryEntry {
  const entry = documentedEntry(namespace);
  const requests = { cpu: '20m', memory: '48Mi' };
  return { ...entry, resources: { requests, limits: { cpu: '500m', memory: '128Mi' } } };
}

requirement(
  'M-71',
  'is deployed from the documented registry entry, in its namespace, and reported as it is',
  OWN,
  async ({ lab, observe }) => {
    const platform = helmPlatform(lab);
    const entry = documentedEntry(await lab.namespace());
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

requirement(
  ['M-26', 'M-28'],
  'loses no call while it is scaled from 1 to 3 to 1, and while its configuration changes',
  { ...OWN, timeoutMs: 420_000 },
  async ({ lab, kube }) => {
    const platform = helmPlatform(lab);
    const namespace = await lab.namespace();
    await platform.deploy('scaled', { ...smallEntry(namespace), replicas: 1 });
    const release = platform.release('scaled');
    const service = { name: serviceOf(release).metadata.name, namespace };
    const url = urlOf(release);
    const client = await startMcpClient(lab);
    await expect(
      eventually(async () => {
        const [session] = await client.talk({ url });
        return nothingWrong(`${url} answers`, session?.error === undefined ? [] : [session.error]);
      }),
    ).toHold();
    for (const replicas of [3, 1]) {
      await expect(
        servesMeanwhile(client, url, `while it is scaled to ${replicas}`, async () => {
          const state = await platform.scale('scaled', replicas);
          expect(state, 'state after scaling').toMatchObject({ wanted: replicas, ready: replicas });
          await endpointsAre(kube, service, (await serverPods(release)).filter(isStaying));
        }),
      ).toHold();
    }
    await expect(
      servesMeanwhile(client, url, 'while its configuration changes', () =>
        platform.update('scaled', { config: { KP_COLOUR: 'green' } }),
      ),
    ).toHold();
  },
);

function isStaying({ metadata }: { metadata: { deletionTimestamp?: string } }): boolean {
  return metadata.deletionTimestamp === undefined;
}

requirement(
  ['M-63', 'M-64', 'M-65'],
  'serves on with its old pods while a new image cannot start, and returns to an earlier revision, configuration included',
  { ...OWN, timeoutMs: 420_000 },
  async ({ lab, kube, observe }) => {
    const platform = helmPlatform(lab);
    const namespace = await lab.namespace();
    const first = await platform.deploy('rolled', { ...smallEntry(namespace), replicas: 1 });
    const release = platform.release('rolled');
    const colour = async (): Promise<string | undefined> => {
      const pods = (await serverPods(release)).filter(isStaying);
      const [pod] = pods;
      if (!pod) throw new CheckFailure('E_SELECTED_NOTHING', 'the server has no pods');
      return (await environmentOf(release, pod)).get('KP_COLOUR');
    };
    await platform.update('rolled', { config: { KP_COLOUR: 'green' } });
    expect(await colour(), 'KP_COLOUR at the second revision').toBe('green');
    const old = (await serverPods(release)).filter(isStaying).map(({ metadata }) => metadata.name);
    const client = await startMcpClient(lab);

    const image = { repository: 'kindproof/of-nobody', tag: '1.0.0' };
    await platform.update('rolled', { image }, { wait: false });
    const stalled = await eventually(async () => {
      const fresh = (await serverPods(release)).filter(({ metadata }) => !old.includes(metadata.name));
      return nothingWrong(
        'the update starts a new pod',
        fresh.length > 0 ? [] : ['there is only the old one'],
      );
    });
    await expect(stalled).toHold();
    const [fresh] = (await serverPods(release)).filter(({ metadata }) => !old.includes(metadata.name));
    if (!fresh) throw new CheckFailure('E_SELECTED_NOTHING', 'the update started no pod');
    const { name } = serverOf(release).container;
    await containerWaiting(kube, fresh, name, ({ reason }) => reason.includes('ImagePull'));
    const [session] = await client.talk({ url: urlOf(release) });
    expect(session?.error, 'error of a client while the new image cannot start').toBeUndefined();
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
  OWN,
  async ({ lab, kube, observe }) => {
    const platform = helmPlatform(lab);
    const namespace = await lab.namespace();
    const entry = { ...smallEntry(namespace), replicas: 1 };
    await Promise.all(['stays', 'stopped', 'deleted'].map((name) => platform.deploy(name, entry)));
    const stopped = platform.release('stopped');
    await platform.stop('stopped');
    await endpointsAre(kube, { name: serviceOf(stopped).metadata.name, namespace }, []);
    expect((await platform.status('stopped'))?.phase, 'phase of the stopped server').toBe('stopped');
    const deleted = platform.release('deleted');
    await platform.delete('deleted');
    await expect(platform.delete('deleted'), 'deleting it again').rejects.toThrow(
      'there is no server deleted',
    );
    expect(await platform.cleanup(namespace), 'what the clean-up deleted').toEqual(['stopped']);
    const left = [...deleted.objects, ...stopped.objects].map(async ({ apiVersion, kind, metadata }) =>
      (await kube.get({ apiVersion, kind }, { name: metadata.name, namespace }))
        ? nameOf({ apiVersion, kind, metadata })
        : '',
    );
    const complaints = (await Promise.all(left))
      .filter((name) => name !== '')
      .map((name) => `${name} is left`);
    for (const kind of ['Pod', 'ReplicaSet', 'EndpointSlice'] as const) {
      const gone = await eventually(
        async () => {
          const objects = await kube.list(kind, { namespace });
          const others = objects.filter(({ metadata }) => !metadata.name.startsWith('stays'));
          return nothingWrong(`no ${kind} of the deleted servers is left`, others.map(nameOf));
        },
        { timeoutMs: 60_000 },
      );
      await expect(gone).toHold();
    }
    await expect(nothingWrong('nothing of the deleted servers is left', complaints)).toHold();
    expect(
      (await platform.list(namespace)).map(({ name, phase }) => `${name} ${phase}`),
      'servers',
    ).toEqual(['stays running']);
    observe('stays is running, stopped and deleted are gone');
  },
);
