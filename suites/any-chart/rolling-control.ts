/**
 * A Deployment of the check that does everything right, behind a Service, updated or evicted at the same time as the subject. What it
 * loses is due to the machine: a node that learns too late that a pod is leaving.
 */
import { busyboxImage } from '../../fixtures/images/build.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import { matchesSelector } from '../../harness/kube/api/selectors.ts';
import type { Container, PodSpec, Service } from '../../harness/kube/api/types.ts';
import { preStopSeconds } from '../../harness/kube/manifests/pre-stop.ts';
import {
  type ChangeUnderLoad,
  lostRequests,
  noRequestLost,
  type RequestLog,
} from '../../harness/observe/predicates/live/request-log.ts';
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';
import { podEvicted } from '../../harness/observe/waits/pod-evicted.ts';
import { podGone } from '../../harness/observe/waits/pod-end.ts';
import { rolledOut } from '../../harness/observe/waits/rollout.ts';
import { awayFromControlPlane, barePodSpec } from '../../harness/run/suite/bare-pod.ts';
import { serveOn } from '../../harness/run/suite/control-pod.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import { notAboutSubject } from '../../harness/run/suite/not-about-subject.ts';
import type { LoadTarget } from './load/service-load.ts';

const NAME = 'control';
export const CONTROL_PORT = 8080;
/** Of its pods. */
export const CONTROL_LABELS = { 'kindproof.dev/control': NAME };
const ROLLOUT_MS = 300_000;
/** Seconds that its pods drain when the subject states none, and at most. */
const DRAIN_SECONDS = 3;
const MOST_DRAIN_SECONDS = 10;
/** Both get as many requests at the same time; a stall meets them at different moments of their updates. */
const MACHINE_SHARE = 3;

export interface RollingControl {
  target: LoadTarget;
  /** Replaces its pods, and waits for the new ones. */
  update(): Promise<void>;
  /** Evicts its pods on a node, or one that is elsewhere, and waits until others have taken their place. */
  leave(node: string): Promise<void>;
}

/**
 * @param drainSeconds how long a pod keeps serving after it was deleted
 * @throws InfrastructureError `E_CONTROL` when it does not start
 */
export async function startRollingControl(
  lab: Lab,
  namespace: string,
  drainSeconds: number,
): Promise<RollingControl> {
  const { kube } = lab;
  const ref = { kind: 'Deployment', name: NAME, namespace } as const;
  const ready = async (): Promise<void> => {
    await rolledOut(kube, ref, { timeoutMs: ROLLOUT_MS });
  };
  return notAboutSubject('E_CONTROL', 'the control failed', async () => {
    const affinity = await awayFromControlPlane(kube);
    await kube.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: NAME, namespace },
      spec: {
        replicas: 2,
        strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        selector: { matchLabels: CONTROL_LABELS },
        template: {
          metadata: { labels: CONTROL_LABELS },
          spec: { ...podSpec(drainSeconds), ...affinity },
        },
      },
    });
    const service = (await kube.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: NAME, namespace },
      spec: { selector: CONTROL_LABELS, ports: [{ port: CONTROL_PORT }] },
    })) as Service;
    await kube.create({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: NAME, namespace },
      spec: { maxUnavailable: 1, selector: { matchLabels: CONTROL_LABELS } },
    });
    await ready();
    return {
      target: { host: service.spec.clusterIP ?? '', port: CONTROL_PORT, path: '/' },
      update: () =>
        notAboutSubject('E_CONTROL', 'the control failed', async () => {
          const annotations = { 'kindproof.dev/updated': new Date().toISOString() };
          await kube.patch('Deployment', ref, { spec: { template: { metadata: { annotations } } } });
          await ready();
        }),
      leave: (node) =>
        notAboutSubject('E_CONTROL', 'the control failed', async () => {
          const pods = (await kube.list('Pod', { namespace })).filter(({ metadata }) =>
            matchesSelector({ matchLabels: CONTROL_LABELS }, metadata.labels),
          );
          const here = pods.filter(({ spec }) => spec.nodeName === node);
          const leaving = here.length > 0 ? here : pods.slice(0, 1);
          await Promise.all(
            leaving.map(async (pod) => {
              await podEvicted(kube, pod);
              await podGone(kube, pod);
            }),
          );
          await ready();
        }),
    };
  });
}

function podSpec(drainSeconds: number): PodSpec {
  const spec = barePodSpec(NAME, {
    image: busyboxImage.ref,
    command: serveOn(CONTROL_PORT),
    tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }],
  });
  const readinessProbe = { httpGet: { path: '/', port: CONTROL_PORT }, periodSeconds: 1 };
  const lifecycle = { preStop: { sleep: { seconds: drainSeconds } } };
  return {
    ...spec,
    // The server has no handler for SIGTERM: it is killed after the drain and a second.
    terminationGracePeriodSeconds: drainSeconds + 1,
    containers: spec.containers.map((container) => ({ ...container, readinessProbe, lifecycle })),
  };
}

/** How long the control drains: the shortest time that a container states. With a longer one, it might survive what the subject cannot. */
export function drainBeside(containers: readonly Container[]): number {
  const stated = containers.flatMap((container) => preStopSeconds(container) ?? []);
  return stated.length === 0 ? DRAIN_SECONDS : Math.min(...stated, MOST_DRAIN_SECONDS);
}

/**
 * The subject lost no request since the first change, beside the control.
 *
 * @param title of the subject: `Service web`
 * @throws InfrastructureError `E_CONTROL` when what the control lost explains what the subject lost
 */
export function noRequestLostBeside(
  control: RequestLog,
  { log, title }: { log: RequestLog; title: string },
  changes: readonly ChangeUnderLoad[],
): PredicateResult {
  const result = noRequestLost(log, title, changes);
  const byMachine = MACHINE_SHARE * lostRequests(control, changes).length;
  if (result.ok || lostRequests(log, changes).length > byMachine) return result;
  const { actual } = noRequestLost(control, 'the control', changes);
  throw new InfrastructureError(
    'E_CONTROL',
    `the machine may be the cause: ${result.actual}, and ${actual}`,
    { hint: 'Run again when the machine does nothing else.' },
  );
}
