/** With the network policy of the documents: what the application needs, and nothing else. */
import { CheckFailure } from '../../harness/core/errors.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import { expect } from '../../harness/run/suite/assertions.ts';
import { registryOf, type RegistryNamespace } from './environment.ts';
import { requirement } from './kit.ts';
import { DEPLOYMENT, SERVICE } from './names.ts';
import {
  PYTHON_POD_PORT,
  startPythonPod,
  type Destination,
  untilAnswered,
  untilDenied,
  untilOpen,
} from './python-pod.ts';
import { replicas } from './variants.ts';

const PORT = 8000;

requirement(
  'R-41',
  'talks with its network policy to DNS, its database and the embedding service only, and strangers do not reach it',
  { release: 'none', disruptive: true, needs: ['network-policy'], timeoutMs: 480_000 },
  async ({ lab, kube, observe }) => {
    const release = await lab.install({ patches: replicas(1) });
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
    const [before] = await release.pods();
    if (!before) throw new CheckFailure('E_SELECTED_NOTHING', 'a pod is needed');
    // What is denied later has to be the policy's doing.
    for (const to of outside) await untilOpen(release, before, to, `from api to ${to.title}, no policy`);
    await untilOpen(release, stranger, apiOf(before), 'from a stranger to api, no policy');

    const policies = await lab.optional('networkpolicy.yaml');
    expect(
      policies.map((p) => p.kind),
      'objects in networkpolicy.yaml',
    ).toContain('NetworkPolicy');
    for (const policy of policies) await kube.apply(policy, { namespace });
    const expectPolicy = async (pod: Pod): Promise<void> => {
      for (const to of outside) await untilDenied(release, pod, to, `from api to ${to.title}`);
      await untilDenied(release, stranger, apiOf(pod), 'from a stranger to api');
      for (const to of needs(registryOf(release)))
        await untilOpen(release, pod, to, `from api to ${to.host}`);
    };
    // Not before it is in effect does it show anything that a new pod resolves names, migrates, connects and is probed.
    await expectPolicy(before);
    const pod = await lab.replacePods(release);
    // Its own connections may be older than what the nodes know of its address; these are not.
    await expectPolicy(pod);
    const url = `http://${SERVICE}.${namespace}:${PORT}/mcp/find_tool`;
    const search = { url, body: { query: 'a tool' } };
    await untilAnswered(release, client, search, 'find_tool asked by a client of the same namespace');
    await release.settleRecording();
    await expect(release.deployment(DEPLOYMENT)).toHaveNoRestarts();
    expect(
      (await release.pods()).map((p) => p.metadata.name),
      'ready pods',
    ).toEqual([pod.metadata.name]);
    observe(
      `${pod.metadata.name} started, is probed and searches under ${policies.length} policy; ${outside.map((o) => o.title).join(' and ')} cannot be reached, a stranger does not get in`,
    );
  },
);

/** Hosts by the names that the application has for them, so that DNS is needed too. */
function needs({ databaseUrl, embeddingUrl }: RegistryNamespace): Destination[] {
  return [databaseUrl, embeddingUrl].map((text) => {
    const { hostname, port } = new URL(text);
    return { host: hostname, port: Number(port) };
  });
}

function apiOf(pod: Pod): Destination {
  return { host: ipOf(pod), port: PORT };
}

function ipOf(pod: Pod): string {
  const ip = pod.status?.podIP;
  if (ip !== undefined) return ip;
  throw new CheckFailure('E_NOT_RUNNING', `pod ${pod.metadata.name} has no address`);
}
