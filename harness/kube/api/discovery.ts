/** API discovery, cached per group version. A kind that is missing from the cache is looked up again. */
import pLimit from 'p-limit';
import { z } from 'zod';
import type { Log } from '../../core/log.ts';
import { InfrastructureError, messageOf } from '../../core/errors.ts';
import type { CallOptions, KindRef } from './client.ts';
import { ApiError } from './errors.ts';
import type { Resource } from './known-kinds.ts';
import { groupPath, knownResource } from './known-kinds.ts';
import type { Transport } from './transport.ts';

const resourceListSchema = z.looseObject({
  resources: z
    .array(
      z.looseObject({
        name: z.string(),
        kind: z.string(),
        namespaced: z.boolean(),
        verbs: z.array(z.string()),
      }),
    )
    .nullable(),
});

const groupListSchema = z.looseObject({
  groups: z.array(
    z.looseObject({
      name: z.string(),
      versions: z.array(z.looseObject({ groupVersion: z.string() })),
      preferredVersion: z.looseObject({ groupVersion: z.string() }).optional(),
    }),
  ),
});

/** All groups and their resources in one answer (apidiscovery.k8s.io/v2, since Kubernetes 1.30); other servers give a list of groups. */
const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

const aggregatedSchema = z.looseObject({
  kind: z.literal('APIGroupDiscoveryList'),
  items: z.array(
    z.looseObject({
      metadata: z.looseObject({ name: z.string().optional() }).optional(),
      // The preferred one comes first.
      versions: z.array(
        z.looseObject({
          version: z.string(),
          /** `Stale`: the server of an aggregated API does not answer. */
          freshness: z.string().optional(),
          resources: z
            .array(
              z.looseObject({
                resource: z.string(),
                /** Absent when the resource has only subresources. */
                responseKind: z.looseObject({ kind: z.string() }).nullish(),
                scope: z.string(),
                verbs: z.array(z.string()),
              }),
            )
            .nullish(),
        }),
      ),
    }),
  ),
});

export interface ServerResource extends Resource {
  verbs: string[];
}

export interface Discovery {
  /** @throws ApiError 404 for an unknown kind, e.g. when its CustomResourceDefinition is not installed */
  resolve(kind: KindRef, options?: CallOptions): Promise<Resource>;
  /** Every listable kind once, in the server's preferred version. */
  listable(): Promise<ServerResource[]>;
}

/** An error of one API group only. An aggregated API whose server is down fails or times out. */
function affectsOneGroup(error: unknown): boolean {
  return (
    error instanceof ApiError || (error instanceof InfrastructureError && error.code === 'E_API_TIMEOUT')
  );
}

export function createDiscovery(transport: Transport, log: Log): Discovery {
  const cache = new Map<string, ServerResource[]>();

  async function fetchGroup(apiVersion: string, options: CallOptions): Promise<ServerResource[]> {
    const path = groupPath(apiVersion);
    const answer = await transport.repeat({ what: `discover ${apiVersion}`, path, ...options });
    const { resources } = resourceListSchema.parse(JSON.parse(answer.body));
    const found = (resources ?? [])
      // `pods/log` is a subresource, not a kind.
      .filter((r) => !r.name.includes('/'))
      .map((r) => ({ apiVersion, kind: r.kind, plural: r.name, namespaced: r.namespaced, verbs: r.verbs }));
    cache.set(apiVersion, found);
    return found;
  }

  async function resolve(kind: KindRef, options: CallOptions = {}): Promise<Resource> {
    const builtIn = knownResource(kind);
    if (builtIn) return builtIn;
    const { apiVersion, kind: name } = kind as { apiVersion: string; kind: string };
    const cached = cache.get(apiVersion)?.find((r) => r.kind === name);
    if (cached) return cached;
    const unknown = (): ApiError =>
      new ApiError(
        'could not find its resource',
        404,
        'NotFound',
        `the server has no kind ${name} in ${apiVersion}`,
        {
          hint: 'install its CustomResourceDefinition first, or fix apiVersion and kind',
        },
      );
    try {
      // The cache may be outdated: a CustomResourceDefinition can be installed at any time.
      const found = (await fetchGroup(apiVersion, options)).find((r) => r.kind === name);
      if (found) return found;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
    throw unknown();
  }

  /** In the order of groups and versions, the preferred version of a group first. */
  function fromAggregated({ items }: z.infer<typeof aggregatedSchema>): ServerResource[] {
    return items.flatMap(({ metadata, versions }) =>
      versions.flatMap(({ version, freshness, resources }) => {
        const group = metadata?.name ?? '';
        const apiVersion = group === '' ? version : `${group}/${version}`;
        if (freshness === 'Stale') {
          log.warn('API group does not answer', { version: apiVersion, error: 'its discovery is stale' });
          return [];
        }
        const found = (resources ?? []).flatMap(({ resource, responseKind, scope, verbs }) =>
          responseKind
            ? [
                {
                  apiVersion,
                  kind: responseKind.kind,
                  plural: resource,
                  namespaced: scope === 'Namespaced',
                  verbs,
                },
              ]
            : [],
        );
        cache.set(apiVersion, found);
        return found;
      }),
    );
  }

  async function allResources(): Promise<ServerResource[]> {
    const headers = { accept: AGGREGATED };
    const answer = await transport.repeat({ what: 'discover API groups', path: '/apis', headers });
    const body: unknown = JSON.parse(answer.body);
    const aggregated = aggregatedSchema.safeParse(body);
    if (aggregated.success) {
      const core = await transport.repeat({ what: 'discover the core group', path: '/api', headers });
      return [aggregatedSchema.parse(JSON.parse(core.body)), aggregated.data].flatMap(fromAggregated);
    }
    const { groups } = groupListSchema.parse(body);
    const versions = groups.flatMap((group) => {
      const preferred = group.preferredVersion?.groupVersion;
      const all = group.versions.map((v) => v.groupVersion);
      return preferred === undefined ? all : [preferred, ...all.filter((v) => v !== preferred)];
    });
    const limit = pLimit(4);
    const lists = await Promise.all(
      ['v1', ...versions].map((version) =>
        limit(async () => {
          try {
            return await fetchGroup(version, { timeoutMs: 10_000 });
          } catch (error) {
            if (!affectsOneGroup(error)) throw error;
            // A broken aggregated API (such as metrics) must not hide the others.
            log.warn('API group does not answer', { version, error: messageOf(error) });
            return [];
          }
        }),
      ),
    );
    return lists.flat();
  }

  async function listable(): Promise<ServerResource[]> {
    const byKind = new Map<string, ServerResource>();
    for (const resource of await allResources()) {
      const group = resource.apiVersion.includes('/') ? resource.apiVersion.split('/')[0] : '';
      const key = `${String(group)}/${resource.kind}`;
      if (resource.verbs.includes('list') && !byKind.has(key)) byKind.set(key, resource);
    }
    return [...byKind.values()];
  }

  return { resolve, listable };
}
