/** A changed configuration reaches every pod, under load and without a lost request; a rollback takes it back. */
import type { ChangeUnderLoad } from '../../../harness/observe/predicates/live/request-log.ts';
import { endpointsNeverBelow } from '../../../harness/observe/predicates/live/traffic.ts';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { endpointReady } from '../../../harness/observe/waits/endpoints.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { admit } from '../../any-chart/network-policies.ts';
import { startServiceLoad } from '../../any-chart/load/service-load.ts';
import { drainBeside, noRequestLostBeside, startRollingControl } from '../../any-chart/rolling-control.ts';
import { requirement } from '../kit.ts';
import { withReplicas } from '../means.ts';
import { needOwnReplicas, renderedServer } from '../server.ts';
import { configuredServers, serverPod, serverPods, serviceAddress } from '../server-pods.ts';
import { serversValue } from '../servers-value.ts';

const REPLICAS = 3;
const MIN_AVAILABLE = 2;
/** Requests before and after each change, so that the load covers all of it. */
const MARGIN = 20;
/** A kubelet renews the files of a ConfigMap within a minute and a half: for an application that reads them again. */
const SEEN = { timeoutMs: 100_000 };

requirement(
  ['T-57', 'T-58', 'TA-13'],
  'takes over a changed configuration under load without losing a request, and a rollback takes it back',
  { release: 'none', disruptive: true, timeoutMs: 600_000, typicalMs: 160_000 },
  async ({ lab, observe }) => {
    const server = await renderedServer(lab);
    needOwnReplicas(server.workload);
    const servers = await serversValue(lab);
    const patches = withReplicas(server, REPLICAS);
    const release = await lab.install({ patches });
    const service = await serviceAddress(release);
    for (const pod of await serverPods(release)) await endpointReady(release.kube, service, pod);
    const before = await configuredServers(lab, release, await serverPod(release));
    const place = { releaseName: release.name, namespace: release.namespace };
    const first = (await lab.helm.history(place)).at(-1)?.revision ?? 1;

    const outside = await lab.namespace();
    await admit(lab, release, outside);
    const control = await startRollingControl(lab, outside, drainBeside([server.container]));
    const target = { host: service.address, port: service.port, path: '/health' };
    const load = await startServiceLoad(lab, outside, [control.target, target]);
    await load.goOn(MARGIN);
    const from = (await release.settleRecording()).changes.length;
    const changes: ChangeUnderLoad[] = [{ after: await load.sent(), says: 'its configuration was changed' }];
    const added = [`${servers}.further.transport=http`, `${servers}.further.url=http://127.0.0.1:9/mcp`];
    await Promise.all([lab.upgrade(release, { patches, set: added }), control.update()]);
    await expect(await everyPodHas(lab, release, before + 1)).toHold();

    changes.push({ after: await load.sent(), says: 'its configuration was rolled back' });
    await Promise.all([
      lab.helm.rollback(place, { revision: first }).then(() => release.rolledOut()),
      control.update(),
    ]);
    await expect(await everyPodHas(lab, release, before)).toHold();
    expect((await lab.helm.history(place)).at(-1)?.revision, 'revision after upgrade and rollback').toBe(
      first + 2,
    );

    await load.goOn(MARGIN);
    const [controlLog = { requests: [] }, log = { requests: [] }] = await load.stop();
    const lost = noRequestLostBeside(controlLog, { log, title: `Service ${service.name}` }, changes);
    const recording = await release.settleRecording();
    await expect(endpointsNeverBelow(recording.endpointsOf(service.name), MIN_AVAILABLE, { from })).toHold();
    await expect(lost).toHold();
    observe(`${before} servers, ${before + 1} after the upgrade, ${before} after the rollback`);
  },
);

function everyPodHas(lab: Lab, release: Release, wanted: number): Promise<PredicateResult> {
  return eventually(async () => {
    const counts = await Promise.all(
      (await serverPods(release)).map(async (pod) => ({
        pod,
        count: await configuredServers(lab, release, pod),
      })),
    );
    return nothingWrong(
      `every pod has ${wanted} servers configured`,
      counts
        .filter(({ count }) => count !== wanted)
        .map(({ pod, count }) => `${pod.metadata.name} has ${count} servers configured`),
    );
  }, SEEN);
}
