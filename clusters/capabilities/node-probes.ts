/** Capabilities of the nodes. */
import { mayI } from '../../harness/kube/api/access-review.ts';
import { eventually } from '../../harness/observe/waits/eventually.ts';
import type { ProbeContext, ProbeResult } from './probe.ts';

/** Retries: a busy engine can fail a single command, and every check with `needs: ['node-access']` depends on this result. */
const ACCESS_MS = 20_000;

/** Commands can be run on every node. */
export async function probeNodeAccess({ cluster, clock, signal }: ProbeContext): Promise<ProbeResult> {
  const { nodes } = cluster;
  if (nodes === undefined) {
    return { present: false, evidence: `provider ${cluster.provider} gives no access to nodes` };
  }
  const names = (await cluster.describe()).map((node) => node.name);
  const result = await eventually(
    async () => {
      const results = await Promise.all(names.map((name) => nodes.run(name, ['true'], { reject: false })));
      const failed = names.filter((_, index) => results[index]?.exitCode !== 0);
      return {
        ok: failed.length === 0,
        expected: 'a command runs on every node',
        actual:
          failed.length === 0
            ? `a command ran on ${names.length} of ${names.length} nodes`
            : `no command runs on ${failed.join(', ')}`,
      };
    },
    { timeoutMs: ACCESS_MS, clock, ...(signal && { signal }) },
  );
  return { present: result.ok, evidence: result.actual };
}

/** The user may cordon nodes and evict pods. */
export async function probeNodeCordon({ kube }: ProbeContext): Promise<ProbeResult> {
  const wanted = [
    { what: 'patch nodes', request: { resource: 'nodes', verb: 'patch' } },
    { what: 'evict pods', request: { resource: 'pods', subresource: 'eviction', verb: 'create' } },
  ];
  const answers = await Promise.all(wanted.map(({ request }) => mayI(kube, request)));
  const denied = wanted.filter((_, index) => !answers[index]).map(({ what }) => what);
  return denied.length === 0
    ? { present: true, evidence: 'the user may patch nodes and evict pods' }
    : { present: false, evidence: `the user of the kubeconfig may not ${denied.join(', and not ')}` };
}

/** The nodes use this cgroup version. */
export async function probeCgroupVersion(
  { cluster }: ProbeContext,
  version: 'v1' | 'v2',
): Promise<ProbeResult> {
  const { nodes } = cluster;
  const [node] = await cluster.describe();
  if (nodes === undefined || node === undefined) {
    return { present: false, evidence: `provider ${cluster.provider} gives no access to nodes` };
  }
  const { stdout } = await nodes.run(node.name, ['stat', '-f', '-c', '%T', '/sys/fs/cgroup']);
  const actual = stdout.trim() === 'cgroup2fs' ? 'v2' : 'v1';
  return {
    present: actual === version,
    evidence: `/sys/fs/cgroup of ${node.name} is ${stdout.trim()} (${actual})`,
  };
}
