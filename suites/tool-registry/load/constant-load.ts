/** A pod that calls the release's Service at a constant rate, as other programs in the cluster do: without proxy or DNS in between. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { TrafficReport } from '../../../harness/observe/predicates/live/traffic.ts';
import { waitFor, type Observation } from '../../../harness/core/deadline.ts';
import { InfrastructureError } from '../../../harness/core/errors.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { Service } from '../../../harness/kube/api/types.ts';
import { startBarePod } from '../../../harness/run/suite/bare-pod.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { imageOf } from '../python-pod.ts';

export interface LoadOptions {
  /** Of the pod; default `constant-load`. */
  name?: string;
  ratePerSecond: number;
  /** The load ends after that, even if the check never stops it. */
  limitSeconds: number;
  /** Sent in turn. */
  requests: readonly { method: 'GET' | 'POST'; path: string; body?: unknown }[];
}

export interface ConstantLoad {
  /** Waits until that many more requests have been answered or have failed. */
  goOn(requests: number): Promise<void>;
  /** Ends the load and returns how it was answered. */
  stop(): Promise<TrafficReport>;
}

const WAIT_MS = 60_000;

const reportSchema = z.object({
  sent: z.int(),
  failed: z.int(),
  slowestMs: z.number(),
  longestGapMs: z.number(),
  failures: z.array(z.object({ afterMs: z.number(), what: z.string() })),
  done: z.boolean(),
});
type Report = z.infer<typeof reportSchema>;

/**
 * Starts the load in the namespace of the release. It uses the application's image, which has Python and is already on the nodes.
 *
 * @param service the Service to call, on its first port
 */
export async function startConstantLoad(
  release: Release,
  service: Service,
  options: LoadOptions,
): Promise<ConstantLoad> {
  const { kube, namespace } = release;
  const { name = 'constant-load' } = options;
  const { clusterIP = '', ports = [] } = service.spec;
  const script = await readFile(new URL('constant-load.py', import.meta.url), 'utf8');
  const requests = options.requests.map(({ method, path, body }) => [method, path, body ?? null]);
  await startBarePod(kube, {
    name,
    namespace,
    image: await imageOf(release),
    command: [
      ...['python3', '-c', script],
      ...[clusterIP, String(ports[0]?.port ?? 0)],
      ...[String(options.ratePerSecond), String(options.limitSeconds), JSON.stringify(requests)],
    ],
  });
  return new LoadPod(kube, { name, namespace });
}

class LoadPod implements ConstantLoad {
  readonly #kube: KubeClient;
  readonly #container: { namespace: string; pod: string; container: string };

  constructor(kube: KubeClient, { name, namespace }: { name: string; namespace: string }) {
    this.#kube = kube;
    this.#container = { namespace, pod: name, container: name };
  }

  async goOn(requests: number): Promise<void> {
    const before = (await this.#report())?.sent ?? 0;
    await this.#until(`${requests} more requests of the load`, (report) =>
      report.sent >= before + requests
        ? { done: true, value: undefined }
        : { done: false, seen: `${report.sent - before} of them` },
    );
  }

  async stop(): Promise<TrafficReport> {
    await this.#kube.exec({
      ...this.#container,
      command: ['python3', '-c', 'import os, signal; os.kill(1, signal.SIGTERM)'],
    });
    return this.#until('the load to end', (report) =>
      report.done ? { done: true, value: report } : { done: false, seen: `${report.sent} requests` },
    );
  }

  #until<T>(what: string, look: (report: Report) => Observation<T>): Promise<T> {
    return waitFor({
      what,
      timeoutMs: WAIT_MS,
      look: async () => {
        const report = await this.#report();
        if (!report) return { done: false, seen: 'no report yet' };
        const observation = look(report);
        const ended = !observation.done && report.done;
        return ended ? { ...observation, hopeless: 'the load has reached its time limit' } : observation;
      },
    });
  }

  /** The last line of its log; `undefined` before the first. */
  async #report(): Promise<Report | undefined> {
    const text = await this.#kube.logs({ ...this.#container, tailLines: 1 });
    if (text === undefined || text.trim() === '') return undefined;
    try {
      return reportSchema.parse(JSON.parse(text));
    } catch (error) {
      throw new InfrastructureError('E_LOAD', `the load cannot be applied: ${text.trim()}`, { cause: error });
    }
  }
}
