/** A pod that calls Services at a constant rate, as other programs in the cluster do. Every request is accounted for. */
import { readFile } from 'node:fs/promises';
import { busyboxImage } from '../../../fixtures/images/build.ts';
import { type Observation, waitFor } from '../../../harness/core/deadline.ts';
import { InfrastructureError } from '../../../harness/core/errors.ts';
import { namespaceOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import type { RequestLog } from '../../../harness/observe/predicates/live/request-log.ts';
import type { HttpService } from '../../../harness/observe/predicates/rendered/http-services.ts';
import { startBarePod } from '../../../harness/run/suite/bare-pod.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';

export interface LoadTarget {
  /** An address: a name would add the answers of the DNS to those of the Service. */
  host: string;
  port: number;
  path: string;
}

export interface ServiceLoad {
  /** The number of requests to each target that have been sent. */
  sent(): Promise<number>;
  /** Waits until that many more requests have been sent to each target. */
  goOn(requests: number): Promise<void>;
  /** Ends the load, waits for the answers, and returns the requests to each target, in the order of the targets. */
  stop(): Promise<RequestLog[]>;
}

const NAME = 'load';
const INTERVAL_SECONDS = 0.1;
/** Bounds the load of a check that never stops it: more than ten minutes. */
const MOST = 7000;
const WAIT_MS = 120_000;

/** Where a Service of a release is called. */
export async function targetOf(release: Release, { service, port, path }: HttpService): Promise<LoadTarget> {
  const ref = { name: service.metadata.name, namespace: namespaceOf(service, release) };
  const live = await release.kube.get('Service', ref);
  return { host: live?.spec.clusterIP ?? '', port, path };
}

/**
 * Starts the load in a namespace, with which it is deleted. The first answers of the targets, or 40 s without one, come before the first
 * request that counts.
 *
 * @throws InfrastructureError `E_OWN_POD`, `E_LOAD`
 */
export async function startServiceLoad(
  { kube }: Lab,
  namespace: string,
  targets: readonly LoadTarget[],
): Promise<ServiceLoad> {
  const script = await readFile(new URL('service-load.sh', import.meta.url), 'utf8');
  const to = targets.flatMap(({ host, port, path }) => [host, String(port), path]);
  await startBarePod(kube, {
    name: NAME,
    namespace,
    image: busyboxImage.ref,
    command: ['sh', '-c', script, 'load', String(INTERVAL_SECONDS), String(MOST), ...to],
    tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }],
  });
  const run = async (command: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await kube.exec({
      namespace,
      pod: NAME,
      command: ['sh', '-c', command],
      timeoutMs: WAIT_MS,
    });
    if (exitCode === 0) return stdout;
    throw new InfrastructureError('E_LOAD', `the load cannot be read: ${(stderr || stdout).trim()}`);
  };
  const sent = async (): Promise<number> => Number(await run('cat /tmp/sent 2> /dev/null || echo 0'));
  const until = (what: string, look: () => Promise<Observation<undefined>>): Promise<void> =>
    waitFor({ what, timeoutMs: WAIT_MS, intervalMs: 500, look });
  return {
    sent,
    async goOn(requests) {
      const before = await sent();
      await until(`${requests} more requests of the load`, async () => {
        const now = await sent();
        return now - before >= requests
          ? { done: true, value: undefined }
          : { done: false, seen: `${now - before} of them` };
      });
    },
    async stop() {
      await run('touch /tmp/stop');
      await until('the answers to the last requests', async () =>
        (await run('cat /tmp/ended 2> /dev/null || true')).startsWith('done')
          ? { done: true, value: undefined }
          : { done: false, seen: 'not all have ended' },
      );
      const total = await sent();
      return Promise.all(
        targets.map(async (_, index) => parseRequests(await run(`cat /tmp/outcomes.${index}`), total)),
      );
    },
  };
}

/**
 * @param text a line `NUMBER OUTCOME` for each request; number 0 does not count
 * @throws InfrastructureError `E_LOAD` when a request has no outcome: the client itself lost it
 */
export function parseRequests(text: string, sent: number): RequestLog {
  const requests = text
    .split('\n')
    .flatMap((line) => {
      const [, number, outcome = ''] = /^(\d+) (.*)$/.exec(line.trim()) ?? [];
      // busybox: "nc: can't connect to remote host (10.96.0.7): Connection refused".
      const said = outcome.replace(/^nc: .*\): /, '');
      return number === undefined || number === '0' ? [] : [{ number: Number(number), outcome: said }];
    })
    .sort((one, other) => one.number - other.number);
  const missing = sent - new Set(requests.map(({ number }) => number)).size;
  if (missing !== 0)
    throw new InfrastructureError('E_LOAD', `the client lost ${missing} of its ${sent} requests`, {
      hint: 'Run again when the machine does nothing else.',
    });
  return { requests };
}
