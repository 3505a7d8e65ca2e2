/** A client of the registry's documented interface, through the API server's proxy to the Service or to one pod. */
import { z } from 'zod';
import { waitFor } from '../../../harness/core/deadline.ts';
import { CheckFailure, messageOf } from '../../../harness/core/errors.ts';
import type { HttpAnswer } from '../../../harness/kube/api/client.ts';
import { PROXY_ERROR_HEADER } from '../../../harness/kube/api/proxy.ts';
import type { Pod } from '../../../harness/kube/api/types.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { rolesOf, serviceOf } from '../roles.ts';

/** Limit of a call. Longer than the application waits for its embedding service. */
export const ANSWER_MS = 20_000;

type Method = 'GET' | 'POST' | 'DELETE';

/** The API server's message about a request that it could pass on to no pod. */
const NOT_PASSED_ON = /no endpoints available|dial tcp/;

export interface ToolDescription {
  name: string;
  description: string;
}

/** A field that is left out has the configured default. */
export interface Search {
  query: string;
  limit?: number;
  threshold?: number;
}

export interface FoundTool {
  name: string;
  /** Similarity of its description to the query, 0 to 1. */
  similarity: number;
}

export interface Health {
  status: string;
  database: boolean;
}

export interface RegistryApi {
  /** Names the target in messages. */
  title: string;
  /** Returns any answer, whatever its status: the API server's own where no pod takes the request. */
  ask(method: Method, path: string, body?: unknown): Promise<HttpAnswer>;
  /** Returns the application's answer, whatever its status: waits while the API server knows no ready replica. */
  reach(method: Method, path: string, body?: unknown): Promise<HttpAnswer>;
  health(): Promise<{ status: number; body: Health }>;
  /** Registers a tool and returns its id. */
  register(tool: ToolDescription): Promise<number>;
  unregister(id: number): Promise<void>;
  listTools(): Promise<string[]>;
  /** The most similar first. */
  findTool(search: Search): Promise<FoundTool[]>;
  callTool(name: string, args: Record<string, unknown>): Promise<void>;
}

const healthSchema = z.object({ status: z.string(), database: z.boolean() });
const registeredSchema = z.object({ id: z.int() });
const listedSchema = z.object({ tools: z.array(z.object({ name: z.string() })) });
const foundSchema = z.object({ tools: z.array(z.object({ name: z.string(), similarity: z.number() })) });

/** False where the API server found no pod that accepts the connection. */
export function wasPassedOn({ headers }: HttpAnswer): boolean {
  return !NOT_PASSED_ON.test(headers[PROXY_ERROR_HEADER] ?? '');
}

/**
 * The registry behind the Service, or one replica.
 *
 * Its methods throw CheckFailure `E_ANSWER` with the answer when it is not the documented one.
 */
export function registryApi(release: Release, pod?: Pod): RegistryApi {
  const target = pod
    ? ({ kind: 'Pod', name: pod.metadata.name, port: rolesOf(release).port } as const)
    : serviceTarget(release);
  const title = `${target.kind} ${target.name}`;

  const ask: RegistryApi['ask'] = (method, path, body) =>
    release.http(target, path, {
      method,
      timeoutMs: ANSWER_MS,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });

  const reach: RegistryApi['reach'] = (method, path, body) =>
    waitFor<HttpAnswer>({
      what: `${title} to have a ready replica`,
      timeoutMs: 20_000,
      look: async () => {
        const answer = await ask(method, path, body);
        // A pod is named directly, so there is nothing to wait for.
        const early = target.kind === 'Service' && !wasPassedOn(answer);
        return early
          ? { done: false, seen: answer.headers[PROXY_ERROR_HEADER] ?? '' }
          : { done: true, value: answer };
      },
    });

  async function call<T>(
    method: Method,
    path: string,
    body: unknown,
    wanted: { status: number; schema: z.ZodType<T> },
  ): Promise<T> {
    const answer = await reach(method, path, body);
    const parsed = wanted.schema.safeParse(json(answer.body));
    if (answer.status === wanted.status && parsed.success) return parsed.data;
    const why = parsed.success ? '' : ` (${parsed.error.issues[0]?.message ?? ''})`;
    throw new CheckFailure(
      'E_ANSWER',
      `${method} ${path} of ${title} answered ${answer.status}, not as documented: ${answer.body.slice(0, 200)}${answer.status === wanted.status ? why : ''}`,
    );
  }

  return {
    title,
    ask,
    reach,
    async health() {
      const { status, body } = await reach('GET', '/health');
      const parsed = healthSchema.safeParse(json(body));
      if (parsed.success) return { status, body: parsed.data };
      throw new CheckFailure('E_ANSWER', `GET /health of ${title} answered ${status}: ${body.slice(0, 200)}`);
    },
    register: async (tool) =>
      (await call('POST', '/admin/tools', tool, { status: 201, schema: registeredSchema })).id,
    unregister: async (id) => {
      await call('DELETE', `/admin/tools/${id}`, undefined, { status: 204, schema: z.unknown() });
    },
    listTools: async () => {
      const { tools } = await call('POST', '/mcp/list_tools', {}, { status: 200, schema: listedSchema });
      return tools.map((tool) => tool.name);
    },
    findTool: async (search) =>
      (await call('POST', '/mcp/find_tool', search, { status: 200, schema: foundSchema })).tools,
    callTool: async (name, args) => {
      await call('POST', '/mcp/call_tool', { name, arguments: args }, { status: 200, schema: z.unknown() });
    },
  };
}

/** The Service for clients, on its first port. */
export function serviceTarget(release: Release): { kind: 'Service'; name: string; port: number } {
  const { metadata, spec } = serviceOf(release);
  return { kind: 'Service', name: metadata.name, port: spec.ports?.[0]?.port ?? 0 };
}

/**
 * Waits until /health reports `healthy`, and returns that answer.
 *
 * On a busy machine the database or the embedding service may be late for a moment.
 */
export function healthy(api: RegistryApi): Promise<{ status: number; body: Health }> {
  return waitFor({
    what: `/health of ${api.title} to be healthy`,
    timeoutMs: 60_000,
    look: async () => {
      try {
        const answer = await api.health();
        const seen = `${answer.status} ${JSON.stringify(answer.body)}`;
        return answer.body.status === 'healthy' ? { done: true, value: answer } : { done: false, seen };
      } catch (error) {
        // The API server answers in place of a pod that is too late.
        if (error instanceof CheckFailure) return { done: false, seen: messageOf(error) };
        throw error;
      }
    },
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
