/** NetworkPolicy is enforced: a connection between two pods works, then fails under a deny-all policy. */
import { waitFor, WaitTimeout } from '../../harness/core/deadline.ts';
import { CheckFailure, messageOf } from '../../harness/core/errors.ts';
import { ApiError } from '../../harness/kube/api/errors.ts';
import type { ProbeContext, ProbeResult } from './probe.ts';
import { execProbe, probePod, waitForProbePod } from './probe.ts';

const PORT = 8080;
/** Until two newly started pods can connect. */
const CONNECTION_MS = 60_000;
/** Until the network plugin has applied a new policy. */
const ENFORCEMENT_MS = 45_000;

export async function probeNetworkPolicy(context: ProbeContext): Promise<ProbeResult> {
  const { kube, inNamespace } = context;
  const image = await context.image();
  if (image === undefined) {
    return {
      present: false,
      evidence: 'not provable: the nodes have no busybox image for the probe pods',
    };
  }
  return inNamespace(async (namespace) => {
    const command = image.serve(PORT, namespace);
    for (const name of ['server', 'client']) {
      await kube.create(probePod({ namespace, name, image: image.ref, command }));
    }
    const [server, client] = await Promise.all([
      waitForProbePod(context, { namespace, name: 'server' }),
      waitForProbePod(context, { namespace, name: 'client' }),
    ]);
    if ('failed' in server) return { present: false, evidence: `not provable: ${server.failed}` };
    if ('failed' in client) return { present: false, evidence: `not provable: ${client.failed}` };
    const address = server.pod.status?.podIP ?? '';
    const connects = async () => {
      const answer = await execProbe(context, { namespace, pod: 'client' }, image.fetch(address, PORT));
      // The server sends the namespace's name, so that no other server on the network can be mistaken for it.
      return answer.stdout.includes(namespace);
    };

    if (!(await eventually(context, 'a connection without a policy', CONNECTION_MS, connects))) {
      return { present: false, evidence: 'not provable: two pods cannot connect even without a policy' };
    }
    await kube.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'deny-all', namespace },
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
    });
    const denied = await eventually(
      context,
      'deny-all to deny',
      ENFORCEMENT_MS,
      async () => !(await connects()),
    );
    if (!denied) {
      return {
        present: false,
        evidence: `a deny-all policy did not stop a connection between two pods within ${ENFORCEMENT_MS / 1000} s: the network plugin does not enforce NetworkPolicy`,
      };
    }
    return {
      present: true,
      evidence: 'two pods could connect, and under a deny-all policy they could not',
    };
  });
}

async function eventually(
  { clock, signal }: ProbeContext,
  what: string,
  timeoutMs: number,
  holds: () => Promise<boolean>,
): Promise<boolean> {
  try {
    return await waitFor({
      what,
      timeoutMs,
      intervalMs: 1000,
      clock,
      signal,
      look: async () => {
        try {
          return (await holds()) ? { done: true, value: true } : { done: false, seen: 'not yet' };
        } catch (error) {
          // A command that could not be run proves neither a connection nor its denial.
          if (error instanceof CheckFailure || error instanceof ApiError)
            return { done: false, seen: messageOf(error) };
          throw error;
        }
      },
    });
  } catch (error) {
    if (error instanceof WaitTimeout) return false;
    throw error;
  }
}
