/** The documents' network policy allows what the application needs, and nothing else. */
import { CheckFailure, DoesNotFit } from '../../../harness/core/errors.ts';
import { matchesSelector } from '../../../harness/kube/api/selectors.ts';
import type { KubeObject, Pod } from '../../../harness/kube/api/types.ts';
import { field } from '../../../harness/kube/manifests/objects.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { RegistryNamespace } from '../registry-namespace.ts';
import { requirement } from '../kit.ts';
import {
  connectionAccepted,
  connectionDenied,
  type Destination,
  postAnswered,
  PYTHON_POD_PORT,
  startPythonPod,
} from '../python-pod.ts';
import { serviceTarget } from '../api/api-client.ts';
import { replaceServerPods, rolesOf, serverOf, serverPod, serverPods } from '../roles.ts';
import { replicas } from '../variants.ts';

const FILE = 'networkpolicy.yaml';

requirement(
  'R-41',
  'reaches only DNS, its database and the embedding service under its network policy, and strangers cannot reach it',
  { release: 'none', disruptive: true, needs: ['network-policy'], timeoutMs: 480_000, typicalMs: 90_000 },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ patches: await replicas(lab, 1) });
    const { namespace } = release;
    const [client, stranger] = await Promise.all([
      startPythonPod(release, namespace, 'client'),
      startPythonPod(release, await lab.namespace(), 'stranger'),
    ]);
    const apiServer = await kube.get('Service', { name: 'kubernetes', namespace: 'default' });
    const outside = [
      { title: 'a stranger', host: ipOf(stranger), port: PYTHON_POD_PORT },
      { title: 'the API server', host: apiServer?.spec.clusterIP ?? '', port: 443 },
    ];
    const before = await serverPod(release);
    const { port, server } = rolesOf(release);
    const apiOf = (pod: Pod): Destination => ({ host: ipOf(pod), port });
    // Proves that a later denial comes from the policy.
    for (const to of outside)
      await connectionAccepted(release, before, to, `from ${server.name} to ${to.title} without a policy`);
    await connectionAccepted(release, stranger, apiOf(before), 'from a stranger to api without a policy');

    const policies = await lab.optional(FILE);
    expect(
      policies.map((p) => p.kind),
      `objects in ${FILE}`,
    ).toContain('NetworkPolicy');
    if (!(await lab.hasOptional(FILE)) && !policies.some((policy) => isAbout(policy, before)))
      throw new DoesNotFit('the network policy of the documents selects no pod of the subject', {
        hint: `Give the subject one of its own: optional/${FILE} beside the folder of its manifests.`,
      });
    for (const policy of policies) await kube.apply(policy, { namespace });
    const expectPolicy = async (pod: Pod): Promise<void> => {
      for (const to of outside) await connectionDenied(release, pod, to, `from api to ${to.title}`);
      await connectionDenied(release, stranger, apiOf(pod), 'from a stranger to api');
      for (const to of needs(release.environment))
        await connectionAccepted(release, pod, to, `from api to ${to.host}`);
    };
    // Once the policy is in effect, a new pod has to resolve names, migrate, connect and pass its probes.
    await expectPolicy(before);
    const pod = await replaceServerPods(lab, release);
    // The application's connections may be older than the policy for the new address; these are not.
    await expectPolicy(pod);
    const service = serviceTarget(release);
    const url = `http://${service.name}.${namespace}:${service.port}/mcp/find_tool`;
    const search = { url, body: { query: 'a tool' } };
    await postAnswered(release, client, search, 'find_tool of a client in the same namespace');
    await release.settleRecording();
    await expect(serverOf(release)).toHaveNoRestarts();
    expect(
      (await serverPods(release)).map((p) => p.metadata.name),
      'ready pods',
    ).toEqual([pod.metadata.name]);
    observe(
      `${pod.metadata.name} starts, is probed and searches under ${policies.length} policy; it cannot reach ${outside.map((o) => o.title).join(' or ')}, and a stranger cannot reach it`,
    );
  },
);

/** The application's own host names, so that DNS is needed too. */
function needs({ databaseUrl, embeddingUrl }: RegistryNamespace): Destination[] {
  return [databaseUrl, embeddingUrl].map((text) => {
    const { hostname, port } = new URL(text);
    return { host: hostname, port: Number(port) };
  });
}

function isAbout(policy: KubeObject, { metadata }: Pod): boolean {
  return matchesSelector(field(policy['spec'], 'podSelector') ?? {}, metadata.labels);
}

function ipOf(pod: Pod): string {
  const ip = pod.status?.podIP;
  if (ip !== undefined) return ip;
  throw new CheckFailure('E_NOT_RUNNING', `pod ${pod.metadata.name} has no address`);
}
