/** A changed configuration reaches every pod, under load and without a lost request; a rollback takes it back. */
import { z } from 'zod';
import { InfrastructureError } from '../../../harness/core/errors.ts';
import { noRequestLost, type ChangeUnderLoad } from '../../../harness/observe/predicates/live/request-log.ts';
import { endpointsNeverBelow } from '../../../harness/observe/predicates/live/traffic.ts';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { endpointReady } from '../../../harness/observe/waits/endpoints.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { field } from '../../../harness/kube/manifests/objects.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { inShape, parseJsonOf } from '../../../harness/run/suite/shape.ts';
import { startServiceLoad } from '../../any-chart/load/service-load.ts';
import { startRollingControl } from '../../any-chart/rolling-control.ts';
import { requirement } from '../kit.ts';
import { mainOf } from '../rendered-server.ts';
import { serverPods } from '../server-pods.ts';

const PORT = 3000;
const REPLICAS = 3;
const MIN_AVAILABLE = 2;
/** Requests before and after each change, so that the load covers all of it. */
const MARGIN = 20;
/** Of the control, when the hook does not say. */
const DRAIN_SECONDS = 3;
/** A kubelet renews the files of a ConfigMap within a minute and a half: for an application that reads them again. */
const SEEN = { timeoutMs: 100_000 };

requirement(
  ['T-57', 'T-58', 'TA-13'],
  'takes over a changed configuration under load without losing a request, and a rollback takes it back',
  { release: 'none', disruptive: true, timeoutMs: 600_000 },
  async ({ lab, observe }) => {
    const set = [`replicaCount=${REPLICAS}`];
    const release = await lab.install({ set });
    const service = await release.service();
    const { namespace } = release;
    const pods = await serverPods(release);
    for (const pod of pods)
      await endpointReady(release.kube, { name: service.metadata.name, namespace }, pod);
    const before = await configured(release);
    const place = { releaseName: release.name, namespace };
    const first = (await lab.helm.history(place)).at(-1)?.revision ?? 1;

    const outside = await lab.namespace();
    const control = await startRollingControl(
      lab,
      outside,
      drainSeconds(pods[0] && mainOf(pods[0].spec).lifecycle),
    );
    const target = {
      host: service.spec.clusterIP ?? '',
      port: service.spec.ports?.[0]?.port ?? 0,
      path: '/health',
    };
    const load = await startServiceLoad(lab, outside, [control.target, target]);
    await load.goOn(MARGIN);
    const from = (await release.settleRecording()).changes.length;
    const changes: ChangeUnderLoad[] = [{ after: await load.sent(), says: 'its configuration was changed' }];
    const added = [
      'config.servers.further.transport=http',
      'config.servers.further.url=http://127.0.0.1:9/mcp',
    ];
    await Promise.all([lab.upgrade(release, { set: [...set, ...added] }), control.update()]);
    await expect(await everyPodHas(release, before + 1)).toHold();

    changes.push({ after: await load.sent(), says: 'its configuration was rolled back' });
    await Promise.all([
      lab.helm.rollback(place, { revision: first }).then(() => release.rolledOut()),
      control.update(),
    ]);
    await expect(await everyPodHas(release, before)).toHold();
    expect((await lab.helm.history(place)).at(-1)?.revision, 'revision after upgrade and rollback').toBe(
      first + 2,
    );

    await load.goOn(MARGIN);
    const [controlLog = { requests: [] }, log = { requests: [] }] = await load.stop();
    const lost = noRequestLost(log, `Service ${service.metadata.name}`, changes);
    const lostByControl = noRequestLost(controlLog, 'the control', changes);
    if (!lost.ok && !lostByControl.ok)
      throw new InfrastructureError(
        'E_CONTROL',
        `the machine may be the cause: ${lost.actual}, and ${lostByControl.actual}`,
        {
          hint: 'Run again when the machine does nothing else.',
        },
      );
    const recording = await release.settleRecording();
    await expect(
      endpointsNeverBelow(recording.endpointsOf(service.metadata.name), MIN_AVAILABLE, { from }),
    ).toHold();
    await expect(lost).toHold();
    observe(`${before} servers, ${before + 1} after the upgrade, ${before} after the rollback`);
  },
);

const readiness = z.looseObject({ servers_configured: z.int() });

/** The number of servers of each pod. */
async function serversOf(release: Release): Promise<{ pod: string; count: number }[]> {
  const pods = await serverPods(release);
  return Promise.all(
    pods.map(async ({ metadata: { name } }) => {
      const { body } = await release.http({ kind: 'Pod', name, port: PORT }, '/ready');
      const answer = inShape(readiness, parseJsonOf(body, `GET /ready of ${name}`), `GET /ready of ${name}`);
      return { pod: name, count: answer.servers_configured };
    }),
  );
}

async function configured(release: Release): Promise<number> {
  return (await serversOf(release))[0]?.count ?? 0;
}

function everyPodHas(release: Release, wanted: number): Promise<PredicateResult> {
  return eventually(async () => {
    const wrong = (await serversOf(release)).filter(({ count }) => count !== wanted);
    return nothingWrong(
      `every pod has ${wanted} servers configured`,
      wrong.map(({ pod, count }) => `${pod} has ${count} servers configured`),
    );
  }, SEEN);
}

function drainSeconds(lifecycle: unknown): number {
  const seconds = field(field(field(lifecycle, 'preStop'), 'sleep'), 'seconds');
  return typeof seconds === 'number' ? Math.min(seconds, 10) : DRAIN_SECONDS;
}
