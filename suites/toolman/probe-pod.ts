/** A pod outside of the release, from whose side the Service is looked at. */
import { busyboxImage } from '../../fixtures/images/build.ts';
import { waitFor } from '../../harness/core/deadline.ts';
import type { ExecResult } from '../../harness/kube/client.ts';
import type { Lab } from '../../harness/suite/lab.ts';

export interface ProbePod {
  namespace: string;
  run(command: string[]): Promise<ExecResult>;
  /** The raw answer, status line first; empty when there was none within 5 s. */
  httpGet(host: string, port: number, path: string): Promise<string>;
}

/** Starts one in a new namespace; it goes with the check. */
export async function probePod(lab: Lab): Promise<ProbePod> {
  const { kube } = lab;
  const namespace = await lab.namespace();
  const name = 'probe';
  await kube.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      terminationGracePeriodSeconds: 0,
      tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }],
      containers: [
        {
          name: 'probe',
          image: busyboxImage.ref,
          command: ['sleep', '3600'],
          resources: { requests: { cpu: '1m', memory: '8Mi' }, limits: { cpu: '500m', memory: '64Mi' } },
        },
      ],
    },
  });
  await waitFor({
    what: `pod ${name} in namespace ${namespace} to run`,
    timeoutMs: 60_000,
    look: async () => {
      const pod = await kube.get('Pod', { name, namespace });
      const phase = pod?.status?.phase ?? 'not there';
      return phase === 'Running' ? { done: true, value: undefined } : { done: false, seen: phase };
    },
  });
  const run = (command: string[]): Promise<ExecResult> =>
    kube.exec({ namespace, pod: name, container: 'probe', command, timeoutMs: 20_000 });
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
