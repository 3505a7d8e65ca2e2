/** A pod outside the release, from which checks call its Service. */
import { busyboxImage } from '../../fixtures/images/build.ts';
import type { ExecResult } from '../../harness/kube/api/client.ts';
import { startBarePod } from '../../harness/run/suite/bare-pod.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { admit } from '../any-chart/network-policies.ts';

export interface ClientPod {
  namespace: string;
  run(command: string[]): Promise<ExecResult>;
  /** The raw answer, status line first; empty when none came within 5 s. */
  httpGet(host: string, port: number, path: string): Promise<string>;
}

/**
 * Starts one in a new namespace, which is deleted when the check ends. Network policies of the release admit it soon after.
 *
 * @throws DoesNotFit when they do not, and the check may not create one
 */
export async function startClientPod(lab: Lab, release: Release): Promise<ClientPod> {
  const { kube } = lab;
  const namespace = await lab.namespace();
  await admit(lab, release, namespace);
  const name = 'client';
  const tolerations = [{ operator: 'Exists', effect: 'NoSchedule' }];
  await startBarePod(kube, { name, namespace, image: busyboxImage.ref, tolerations }, { timeoutMs: 120_000 });
  const run = (command: string[]): Promise<ExecResult> =>
    kube.exec({ namespace, pod: name, command, timeoutMs: 60_000 });
  return {
    namespace,
    run,
    async httpGet(host, port, path) {
      const request = `GET ${path} HTTP/1.0\\r\\nHost: ${host}\\r\\n\\r\\n`;
      const { stdout } = await run(['sh', '-c', `printf '${request}' | busybox nc -w 5 ${host} ${port}`]);
      return stdout;
    },
  };
}
