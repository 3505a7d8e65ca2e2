/** For unit tests: a lab on a cluster without any objects but namespaces. Create it inside a test, which removes its files. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../core/deadline.ts';
import { CheckFailure, InterruptedError } from '../core/errors.ts';
import { silentLog } from '../core/log.ts';
import { Redactor } from '../core/redact.ts';
import type { Deployer } from '../kube/deploy/deployer.ts';
import type { Helm } from '../kube/helm/types.ts';
import type { KubeClient, ObjectRef } from '../kube/api/client.ts';
import type { AttachedCluster } from '../run/suite/attached-cluster.ts';
import type { Check, CheckOptions } from '../run/suite/check.ts';
import type { Fault, SuiteDefinition } from '../run/suite/definition.ts';
import { SharedLab, type LabDeps } from '../run/suite/shared-lab.ts';

export interface FakeLab {
  lab: SharedLab;
  /** What was done to the cluster, in order. */
  done: string[];
  clock: FakeClock;
}

export interface FakeClock extends Clock {
  /** Lets every sleep of at most that long end at once; longer ones never end. */
  patience: number;
}

export interface FakeLabOptions {
  /** Default: a chart that renders one ConfigMap. */
  helm?: Partial<Helm>;
  kube?: Partial<KubeClient>;
  capability?: AttachedCluster['capability'];
  fault?: Fault;
  deps?: Partial<LabDeps>;
}

export function fakeLab(options: FakeLabOptions = {}): FakeLab {
  const done: string[] = [];
  const clock = fakeClock();
  const runDirectory = mkdtempSync(join(tmpdir(), 'kp-unit-lab-'));
  onTestFinished(() => {
    rmSync(runDirectory, { recursive: true });
  });
  const known: Partial<KubeClient> = {
    version: () => Promise.resolve('v1.36.3'),
    list: () => Promise.resolve([]),
    get: ((kind: string, { name }: ObjectRef) =>
      Promise.resolve(
        kind === 'ServiceAccount' ? { kind, metadata: { name } } : undefined,
      )) as KubeClient['get'],
    create: (object) => {
      done.push(`create ${object.kind} ${object.metadata.name}`);
      return Promise.resolve(object);
    },
    delete: (kind, { name }) => {
      done.push(`delete ${typeof kind === 'string' ? kind : kind.kind} ${name}`);
      return Promise.resolve();
    },
    watch: () => ({ synced: Promise.resolve(), stop: () => Promise.resolve() }),
    follow: () => ({ synced: Promise.resolve(), stop: () => Promise.resolve() }),
    ...options.kube,
  };
  const kube = {
    ...known,
    get teardown(): KubeClient {
      return kube;
    },
  } as KubeClient;
  const helm: Partial<Helm> = {
    render: () => Promise.resolve({ objects: [] }),
    install: (source) => {
      done.push(`install ${source.releaseName}`);
      return Promise.reject(new CheckFailure('E_INSTALL_REFUSED', 'the fake helm installs nothing'));
    },
    uninstall: ({ releaseName }) => {
      done.push(`uninstall ${releaseName}`);
      return Promise.resolve();
    },
    ...options.helm,
  };
  const cluster: Partial<AttachedCluster> = {
    provider: 'kind',
    name: 'kp-unit',
    kube,
    capability: options.capability ?? ((name) => Promise.resolve({ name, present: true, evidence: 'seen' })),
  };
  const lab = new SharedLab({
    definition: { name: 'app', subject: { releaseName: 'app' } } as SuiteDefinition,
    subject: { chart: 'chart', values: [], set: [], patches: [], reference: true, images: [] },
    cluster: cluster as AttachedCluster,
    helm: helm as Helm,
    deployer: helm as Deployer,
    runId: 'id',
    runDirectory,
    fault: options.fault,
    redactor: new Redactor(),
    log: silentLog,
    signal: new AbortController().signal,
    clock,
    ...options.deps,
  });
  return { lab, done, clock };
}

/** Time passes by sleeping only. */
function fakeClock(): FakeClock {
  let now = 0;
  const clock: FakeClock = {
    patience: 10_000,
    now: () => now,
    sleep: (ms, signal) => {
      if (ms <= clock.patience) {
        now += ms;
        return Promise.resolve();
      }
      return new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          reject(new InterruptedError());
        });
      });
    },
  };
  return clock;
}

/** A check that needs no release. */
export function fakeCheck(
  requirement: string | readonly string[],
  run: Check['run'],
  options: CheckOptions = {},
): Check {
  const requirements = typeof requirement === 'string' ? [requirement] : requirement;
  return {
    id: `app/${requirements[0] ?? ''}`,
    suite: 'app',
    file: 'app.e2e.ts',
    title: 'a check',
    requirements,
    options: { release: 'none', ...options },
    run,
  };
}
