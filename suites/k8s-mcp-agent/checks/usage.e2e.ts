/** Documented usage: finding the pod of a node, the commands of the README, and why not `kubectl debug`. */
import { GPU_RESOURCE } from '../../../clusters/nodes/gpu-capacity.ts';
import { DoesNotFit } from '../../../harness/core/errors.ts';
import { lastLines } from '../../../harness/core/wording.ts';
import { containerRunning } from '../../../harness/observe/waits/containers.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { startBarePod } from '../../../harness/run/suite/bare-pod.ts';
import { commandBlocks, reviewBlocks } from '../readme/documented-commands.ts';
import { commandSession } from '../readme/documented-programs.ts';
import { addEphemeralContainer } from '../../pods/ephemeral-container.ts';
import { agentIn, agentOf } from '../agent.ts';
import { agentPodOn } from '../agent-pods.ts';
import { AGENT_SELECTOR, agentPodsOn, gpuNodes } from '../gpu-nodes.ts';
import { inventoryOf } from '../sessions/inventory.ts';
import { requirement } from '../kit.ts';
import { openSession, type McpSession } from '../sessions/mcp-session.ts';
import { initializeSchema, readTranscript } from '../sessions/session-transcript.ts';

requirement(
  'G-27',
  'is found by label and node as exactly one pod on every GPU node, which is the agent',
  async ({ release, lab, kube, observe }) => {
    for (const { name } of await gpuNodes(kube)) {
      const found = await agentPodsOn(kube, agentOf(release).namespace, name);
      const names = found.map(({ metadata }) => metadata.name);
      expect(names, `pods with ${AGENT_SELECTOR} on ${name}`).toHaveLength(1);
      const pod = await agentPodOn(release, name);
      const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
      expect(owner?.name, `owner of ${pod.metadata.name}`).toBe(agentIn(release).object.metadata.name);
      const { serverInfo } = await (await openSession(lab, pod)).initialize();
      observe(`${name}: ${pod.metadata.name}, ${serverInfo.name}`);
    }
  },
);

const INITIALIZE =
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"kindproof","version":"1"}}}';

requirement(
  'G-43',
  'can be installed, used and removed with the exact commands of its README',
  // Another check may have the namespace first.
  { release: 'none', disruptive: true, timeoutMs: 480_000 },
  async ({ lab, kube, cluster, subject, observe }) => {
    const readme = await lab.document('README.md');
    if (readme === undefined) throw new DoesNotFit('the chart has no README.md in its folder');
    const folder = subject.chart;
    const [node] = await gpuNodes(kube);
    const values = node ? { 'node-name': node.name } : {};
    const blocks = await reviewBlocks(commandBlocks(readme), values, folder);
    const session = await commandSession(lab, cluster, { folder, terminal: `${INITIALIZE}\n` });
    const output: string[] = [];
    const left: string[] = [];
    for (const { heading, text, notRun } of blocks) {
      if (notRun !== undefined) {
        left.push(notRun);
        observe(notRun);
        continue;
      }
      const { exitCode, stdout, stderr } = await session.run(text);
      const how = `exit code of the commands of "${heading}": ${lastLines(stderr, 1)}`;
      // The failure may be the consequence.
      if (exitCode !== 0 && left.length > 0)
        throw new DoesNotFit([`${how}, ${exitCode}`, ...left].join('; '));
      expect(exitCode, how).toBe(0);
      output.push(stdout);
      observe(`"${heading}": exit code 0`);
    }
    const { answers } = readTranscript(output.join('\n'));
    const initialized = answers.some(({ result }) => initializeSchema.safeParse(result).success);
    expect(initialized, 'initialize is answered in the session of README.md').toBe(true);
  },
);

requirement(
  'G-46',
  'cannot be replaced by `kubectl debug`: an ephemeral container sees no GPU and may request none',
  { disruptive: true, needs: ['gpu-nodes'] },
  async ({ release, lab, kube, observe }) => {
    const [node] = await gpuNodes(kube);
    const { name = '' } = node ?? {};
    // Control: the same program sees the GPUs in the agent's pod.
    const seen = await gpusSeenBy(await openSession(lab, await agentPodOn(release, name)));
    expect(seen, `GPUs that the agent sees on ${name}`).toBeGreaterThan(0);

    const { image, env = [] } = agentIn(release).container;
    // An ordinary workload, without a RuntimeClass.
    const workload = await startBarePod(kube, {
      name: 'workload',
      namespace: await lab.namespace(),
      node: name,
      image,
      tolerations: [{ operator: 'Exists' }],
    });
    const debug = { name: 'debugger', image, command: ['sleep', '600'], env };
    await addEphemeralContainer(kube, workload, debug);
    const pod = await containerRunning(kube, workload, debug.name, { timeoutMs: 60_000 });
    const count = await gpusSeenBy(await openSession(lab, pod, { container: debug.name }));
    expect(count, `GPUs that a debug container sees on ${name}`).toBe(0);

    const requesting = { ...debug, name: 'requesting', resources: { limits: { [GPU_RESOURCE]: '1' } } };
    const refusal = addEphemeralContainer(kube, pod, requesting);
    await expect(refusal, 'a debug container that requests a GPU').rejects.toThrow(/resources: Forbidden/);
    observe(`${name}: the agent sees ${seen} GPUs, a debug container ${count}, and it may not request one`);
  },
);

async function gpusSeenBy(session: McpSession): Promise<number> {
  await session.initialize();
  return (await inventoryOf(session)).device_count;
}
