/** The traffic of a Service follows the readiness of pods, and their replacement. */
import { CheckFailure } from '../../../harness/core/errors.ts';
import { endpointsMatch } from '../../../harness/observe/predicates/live/endpoints.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import type { EndpointsMoment } from '../../../harness/observe/recorder/endpoints.ts';
import { endpointGone, endpointReady } from '../../../harness/observe/waits/endpoints.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { startMcpClient } from '../../mcp-client/mcp-client.ts';
import { requirement } from '../kit.ts';
import { ownEntry } from '../platform/own-entry.ts';
import { platformOf } from '../platform/platform-of.ts';
import { admit, heldBack, holdBackNewPods } from '../readiness-gate.ts';
import { answersAt, isLeftOut, slicesOf } from '../routing.ts';
import { handleOf, serverPods, serviceOf, urlOf } from '../server.ts';

const OWN = { release: 'none', disruptive: true, timeoutMs: 900_000 } as const;

/** That two replicas both answer, except by a chance of one in 2^39. */
const CALLS = 40;
/** In which the endpoints have to follow the pods, and every node the endpoints. */
const FOLLOWS_MS = 60_000;

requirement(
  'M-39',
  'leads to a pod while it is ready, and not before and after, although its containers run',
  { ...OWN, typicalMs: 70_000 },
  async ({ lab, subject, kube, observe }) => {
    const platform = await platformOf({ lab, subject });
    await platform.deploy('routed', await ownEntry(lab, await lab.namespace()));
    const release = platform.release('routed');
    const { metadata, spec } = serviceOf(release);
    const service = { name: metadata.name, namespace: release.namespace };
    await holdBackNewPods(kube, handleOf(release));
    const pod = await heldBack(kube, handleOf(release));
    const { name } = pod.metadata;
    await expect(
      eventually(async () => isLeftOut(service.name, await slicesOf(kube, service), pod)),
    ).toHold();

    const url = urlOf(release);
    const client = await startMcpClient(lab);
    // Others may serve meanwhile, or nobody: the strategy of the workload decides.
    const before = await answersAt(client, url, CALLS);
    expect(before.pods, 'pods that answer while the new one is not ready').not.toContain(name);
    await admit(kube, pod);
    await endpointReady(kube, service, pod);
    const isKept = spec['sessionAffinity'] === 'ClientIP';
    if (isKept) observe('session affinity keeps the client at the pod that it had');
    else {
      const reached = await eventually(
        async () => {
          const { pods } = await answersAt(client, url, CALLS);
          const complaints = pods.includes(name) ? [] : [`it answered none of ${pods.length} calls`];
          return nothingWrong(`pod ${name} gets traffic, because it is ready`, complaints);
        },
        { timeoutMs: FOLLOWS_MS },
      );
      await expect(reached).toHold();
    }
    await admit(kube, pod, false);
    await endpointGone(kube, service, pod);
    // Each node learns of the endpoints a moment later.
    const left = await eventually(
      async () => {
        const { pods } = await answersAt(client, url, CALLS);
        const got = pods.filter((one) => one === name).length;
        const complaints = got === 0 ? [] : [`it answered ${got} of ${pods.length} calls`];
        return nothingWrong(`pod ${name} gets no traffic, because it is not ready any more`, complaints);
      },
      { timeoutMs: FOLLOWS_MS },
    );
    await expect(left).toHold();
    observe(`${before.pods.length} calls answered by others before pod ${name} was ready`);
  },
);

requirement(
  'M-38',
  'leads to the pod that takes the place of another, and to no address of a pod that is gone',
  { ...OWN, typicalMs: 50_000 },
  async ({ lab, subject, kube, observe }) => {
    const platform = await platformOf({ lab, subject });
    await platform.deploy('followed', await ownEntry(lab, await lab.namespace()));
    const release = platform.release('followed');
    const { name } = serviceOf(release).metadata;
    const url = urlOf(release);
    const client = await startMcpClient(lab);
    const [old] = await serverPods(release);
    if (!old) throw new CheckFailure('E_SELECTED_NOTHING', 'the server has no pods');
    const from = (await release.settleRecording()).changes.length;
    await lab.replacePods(release, [old]);
    const follows = await eventually(
      async () => {
        const slices = await slicesOf(kube, { name, namespace: release.namespace });
        const result = endpointsMatch(await release.service(name), slices, await serverPods(release));
        // Which address, or which pod, says more than two lists of addresses.
        return { ...result, actual: result.details?.[0] ?? result.actual };
      },
      { timeoutMs: FOLLOWS_MS },
    );
    await expect(follows).toHold();
    const present = (await serverPods(release)).map(({ metadata }) => metadata.name);
    const answered = await eventually(
      async () => {
        const { pods, errors } = await answersAt(client, url, CALLS);
        const silent = present.filter((pod) => !pods.includes(pod));
        const gone = [...new Set(pods)].filter((pod) => !present.includes(pod));
        const isKept = serviceOf(release).spec['sessionAffinity'] === 'ClientIP';
        return nothingWrong(`every call is answered, by the pods ${present.join(', ')}`, [
          ...errors,
          ...gone.map((pod) => `pod ${pod}, which is gone, answered`),
          ...(isKept ? [] : silent.map((pod) => `pod ${pod} answered none of ${pods.length} calls`)),
        ]);
      },
      { timeoutMs: FOLLOWS_MS },
    );
    await expect(answered).toHold();
    const recording = await release.settleRecording();
    observe(`recorded endpoints: ${steps(recording.endpointsOf(name).filter(({ seq }) => seq >= from))}`);
  },
);

/** `a, b; then b; then b, c` */
function steps(moments: readonly EndpointsMoment[]): string {
  return moments.map(({ ready }) => [...ready].toSorted().join(', ') || 'none').join('; then ');
}
