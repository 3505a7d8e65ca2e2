/** An MCP client in a pod outside the release: it calls a server through its Service, as other pods of the cluster do. */
import { z } from 'zod';
import { mcpClientImage } from '../../fixtures/images/mcp-server.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import { clip } from '../../harness/core/wording.ts';
import type { ExecResult } from '../../harness/kube/api/client.ts';
import { startBarePod } from '../../harness/run/suite/bare-pod.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';

/** What the client is to do. */
export interface McpTask {
  /** `http://name.namespace.svc.cluster.local:8080/mcp` */
  url: string;
  /** Default 1. */
  sessions?: number;
  /** How many of them run at the same time. Default 1. */
  parallel?: number;
  /** The calls of each session, in order. `times`: how often in a row. */
  calls?: readonly { tool: string; arguments?: Record<string, unknown>; times?: number }[];
  /** A new connection for each request, so that the Service chooses a pod for each. Default true. */
  fresh?: boolean;
  /** For each request. Default 20 000. */
  timeoutMs?: number;
}

const sessionSchema = z.object({
  /** What the server says about itself. */
  server: z.object({ name: z.string(), version: z.string() }).optional(),
  /** Names of its tools. */
  tools: z.array(z.string()).default([]),
  /** One for each call: the text of the answer, or why it failed. */
  calls: z.array(z.object({ text: z.string().optional(), error: z.string().optional() })),
  /** Why the session did not get so far as to call. */
  error: z.string().optional(),
});

export type McpSessionResult = z.infer<typeof sessionSchema>;

export interface McpClient {
  namespace: string;
  /** The node that it runs on. */
  node: string;
  /** Holds the sessions of a task: initialize, tools/list, and the calls. Failures of the server are results. */
  talk(task: McpTask): Promise<McpSessionResult[]>;
  /** Several tasks at the same time; the results of each. */
  talkToAll(tasks: readonly McpTask[]): Promise<McpSessionResult[][]>;
  run(command: string[]): Promise<ExecResult>;
}

/**
 * Starts a client in a new namespace, which is deleted when the check ends. The suite needs the image `mcp-client` (`always`).
 *
 * @param where.node the only node that it may run on
 */
export async function startMcpClient(lab: Lab, where: { node?: string } = {}): Promise<McpClient> {
  const { kube } = lab;
  const namespace = await lab.namespace();
  const name = 'mcp-client';
  const tolerations = [{ operator: 'Exists', effect: 'NoSchedule' }];
  const image = mcpClientImage.ref;
  const pod = await startBarePod(
    kube,
    { name, namespace, image, tolerations, ...where },
    { timeoutMs: 120_000 },
  );
  const run = (command: string[]): Promise<ExecResult> =>
    kube.exec({ namespace, pod: name, command, timeoutMs: 120_000 });
  async function talkToAll(tasks: readonly McpTask[]): Promise<McpSessionResult[][]> {
    const { exitCode, stdout, stderr } = await run(['node', '/app/mcp-client.mjs', JSON.stringify(tasks)]);
    if (exitCode === 0) return z.array(z.array(sessionSchema)).parse(JSON.parse(stdout));
    throw new InfrastructureError(
      'E_MCP_CLIENT',
      `the MCP client of the check exited with ${exitCode}: ${clip(stderr.trim(), 300)}`,
    );
  }
  return {
    namespace,
    node: pod.spec.nodeName ?? '',
    run,
    talkToAll,
    talk: async (task) => (await talkToAll([task]))[0] ?? [],
  };
}
