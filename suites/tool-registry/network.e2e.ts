/** With the network policy of the documents: what the application needs, and nothing else. */
import { CheckFailure } from '../../harness/core/errors.ts';
import type { Pod } from '../../harness/kube/types.ts';
import { expect } from '../../harness/suite/assertions.ts';
import { requirement } from './kit.ts';
import { DEPLOYMENT, SERVICE } from './names.ts';
import { optionalObjects } from './optional.ts';
import { connect, post, PYTHON_POD_PORT, startPythonPod } from './python-pod.ts';
import { replicas } from './variants.ts';

const PORT = 8000;

requirement(
  'R-41',
  'talks with its network policy to DNS, its database and the embedding service only, and strangers do not reach it',
  { release: 'none', disruptive: true, needs: ['network-policy'], timeoutMs: 240_000 },
  async ({ lab, kube, subject, observe }) => {
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
    for (const { title, host, port } of outside)
      expect(await connect(release, before, host, port), `api to ${title}, no policy`).toBe('connected');
    expect(await connect(release, stranger, ipOf(before), PORT), 'a stranger to api, no policy').toBe(
      'connected',
    );

    const policies = await optionalObjects(subject, 'networkpolicy.yaml');
    expect(
      policies.map((p) => p.kind),
      'objects in networkpolicy.yaml',
    ).toContain('NetworkPolicy');
    for (const policy of policies) await kube.apply(policy, { namespace });
    // A new pod resolves names, migrates, connects and is probed under the policy.
    const pod = await lab.replacePods(release);
    for (const { title, host, port } of outside)
      await release.until(
        `the policy to deny the way from api to ${title}`,
        async () => (await connect(release, pod, host, port)) !== 'connected',
        30_000,
      );
    await release.until(
      'the policy to deny the way from a stranger to api',
      async () => (await connect(release, stranger, ipOf(pod), PORT)) !== 'connected',
      30_000,
    );
    const url = `http://${SERVICE}.${namespace}:${PORT}/mcp/find_tool`;
    const status = await post(release, client, url, { query: 'a tool' });
    expect(status, 'find_tool asked by a client of the same namespace').toBe('200');
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

function ipOf(pod: Pod): string {
  const ip = pod.status?.podIP;
  if (ip !== undefined) return ip;
  throw new CheckFailure('E_NOT_RUNNING', `pod ${pod.metadata.name} has no address`);
}
