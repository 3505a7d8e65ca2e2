/** What the checks of a worker share: the cluster, programs, the environment. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { createCommandRunner } from '../../core/command.ts';
import { systemClock } from '../../core/deadline.ts';
import { InterruptedError } from '../../core/errors.ts';
import { createFileLog, type Log } from '../../core/log.ts';
import { Redactor } from '../../core/redact.ts';
import { RUN_LABEL } from '../../core/run-id.ts';
import { createDeployer } from '../../kube/deploy/deployer.ts';
import { createManifestDeployer } from '../../kube/deploy/manifest-deployer.ts';
import { createHelm } from '../../kube/helm/helm.ts';
import { helmCapabilities } from '../../kube/helm/helm-capabilities.ts';
import { observeStalls, type StallObserver } from '../../observe/stalls/observe-stalls.ts';
import type { AttachCluster, AttachedCluster } from './attached-cluster.ts';
import type { Fault, SuiteDefinition } from './definition.ts';
import type { Environment } from './environment.ts';
import { subjectFor } from './reference.ts';
import { SharedLab } from './shared-lab.ts';
import type { WorkerConfig } from './worker-config.ts';

/** What all checks of a worker share. */
export interface Session {
  cluster: AttachedCluster;
  helmFor: (name: string) => ReturnType<typeof createHelm>;
  environment: (() => Promise<Environment>) | undefined;
  /** Knows the secrets of the run, and learns those of each namespace. */
  redactor: Redactor;
  /** Observes the machine and the cluster until it is stopped. */
  stalls: StallObserver;
  log: Log;
  /** Aborted by `cancel`. */
  signal: AbortSignal;
  cancel: () => void;
}

/** Connects to the cluster of the run. */
export async function openSession(
  { environment }: SuiteDefinition,
  config: WorkerConfig,
  attach: AttachCluster,
): Promise<Session> {
  const { cluster: descriptor, helmPath } = config;
  if (!descriptor || helmPath === undefined)
    throw new Error(`mode ${config.mode} has no cluster to run checks on`);
  const redactor = new Redactor(config.redact);
  const log = createFileLog(join(config.runDirectory, 'run.jsonl'), { suite: config.suite }, redactor.redact);
  // The main process cancels a run in vitest; that reaches the worker through the signals of the tests.
  const controller = new AbortController();
  const { signal } = controller;
  // Every command and wait of up to eight checks listens to it.
  setMaxListeners(0, signal);
  // Without the signal: teardown continues after an interruption.
  const run = createCommandRunner({ log });
  const cluster = await attach(descriptor, { log, signal, labels: { [RUN_LABEL]: config.runId } });
  return {
    cluster,
    stalls: observeStalls({ clock: systemClock, kube: cluster.kube, log }),
    helmFor: (name) =>
      createHelm({
        run,
        helmPath,
        kubeconfig: descriptor.kubeconfig,
        context: descriptor.context,
        capabilities: helmCapabilities(cluster.kube),
        workDir: join(config.runDirectory, '.helm', name),
        log,
        signal,
      }),
    environment:
      environment &&
      lazily(() => environment.open({ runId: config.runId, cluster, secrets: config.secrets, log, signal })),
    redactor,
    log,
    signal,
    cancel: () => controller.abort(new InterruptedError()),
  };
}

/** A lab for the checks of a suite, or of one proof. */
export function newLab(
  definition: SuiteDefinition,
  config: WorkerConfig,
  session: Session,
  fault?: Fault,
): SharedLab {
  const { kube } = session.cluster;
  const helm = session.helmFor(fault?.name ?? definition.name);
  const target = { kube, runId: config.runId };
  return new SharedLab({
    definition,
    subject: subjectFor(fault, config),
    cluster: session.cluster,
    helm,
    helmPath: config.helmPath,
    deployer: createDeployer(
      helm,
      createManifestDeployer({ cluster: target, signal: session.signal }),
      target,
    ),
    environment: session.environment,
    runId: config.runId,
    runDirectory: config.runDirectory,
    fault,
    advice: config.advice,
    redactor: session.redactor,
    disposable: config.cluster?.fate === 'deleted',
    stalls: session.stalls.log,
    log: session.log,
    signal: session.signal,
  });
}

/** Calls `make` once, when it is first needed. */
export function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
