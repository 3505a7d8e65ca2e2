/** Requests on objects: list, get, create, apply, patch, delete, evict, logs. */
import { z } from 'zod';
import { UsageError } from '../../core/errors.ts';
import type { CallOptions, KindRef, KubeClient, ListOptions, ObjectOf, ObjectRef } from './client.ts';
import type { Discovery } from './discovery.ts';
import { ApiError } from './errors.ts';
import type { Resource } from './known-kinds.ts';
import { resourcePath } from './known-kinds.ts';
import { withoutManagedFields } from './objects.ts';
import type { ObjectList } from './status.ts';
import { parseList, parseObject, parseStatus, toApiError } from './status.ts';
import type { ApiAnswer, ApiRequest, Transport } from './transport.ts';
import { SCHEMA_REFUSAL } from './transport.ts';
import type { KubeObject } from './types.ts';

const FIELD_MANAGER = 'kindproof';
const PAGE = 500;
/** An aggregated API server may not know the first form. */
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

export type RestCalls = Pick<
  KubeClient,
  'version' | 'list' | 'get' | 'create' | 'apply' | 'patch' | 'delete' | 'evict' | 'logs'
>;

/** A complete list and the resourceVersion from which a watch continues. */
export async function listAll(
  transport: Transport,
  resource: Resource,
  options: ListOptions & CallOptions & { metadataOnly?: boolean },
): Promise<{ resourceVersion: string; items: KubeObject[] }> {
  const where = options.namespace ?? 'all namespaces';
  const request: ApiRequest = {
    what: `list ${resource.kind}${resource.namespaced ? ` in ${where}` : ''}`,
    path: resourcePath(resource, { namespace: options.namespace }),
    ...(options.metadataOnly && { headers: { accept: METADATA_ONLY } }),
    ...callOptions(options),
  };
  const query = { labelSelector: options.labelSelector, fieldSelector: options.fieldSelector, limit: PAGE };
  for (;;) {
    const items: KubeObject[] = [];
    let page: ObjectList | undefined;
    try {
      do {
        const answer = await transport.repeat({ ...request, query: { ...query, continue: page?.next } });
        page = parseList(JSON.parse(answer.body));
        items.push(...page.items);
      } while (page.next !== undefined);
      return { resourceVersion: page.resourceVersion, items };
    } catch (error) {
      // The continue token has expired. Only a new list from the start is consistent.
      const expired = page !== undefined && error instanceof ApiError && error.status === 410;
      if (!expired) throw error;
    }
  }
}

export function createRestCalls(transport: Transport, discovery: Discovery): RestCalls {
  const parsed = ({ body }: ApiAnswer): KubeObject => parseObject(JSON.parse(body));

  async function locate(
    kind: KindRef,
    ref: ObjectRef,
    options: CallOptions,
  ): Promise<{ path: string; title: string; resource: Resource }> {
    const resource = await discovery.resolve(kind, callOptions(options));
    const { name } = ref;
    const namespace = needNamespace(resource, ref.namespace, name);
    const title = `${resource.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
    return { path: resourcePath(resource, { namespace, name }), title, resource };
  }

  return {
    async version() {
      const answer = await transport.repeat({ what: 'read the version', path: '/version' });
      return z.looseObject({ gitVersion: z.string() }).parse(JSON.parse(answer.body)).gitVersion;
    },

    async list<K extends KindRef>(
      kind: K,
      options: ListOptions & CallOptions & { metadataOnly?: boolean } = {},
    ): Promise<ObjectOf<K>[]> {
      const resource = await discovery.resolve(kind, callOptions(options));
      const { items } = await listAll(transport, resource, options);
      if (!options.metadataOnly) return items as ObjectOf<K>[];
      const { apiVersion } = resource;
      return items.map(({ metadata }) => ({ apiVersion, kind: resource.kind, metadata })) as ObjectOf<K>[];
    },

    async get<K extends KindRef>(kind: K, ref: ObjectRef, options: CallOptions = {}) {
      const { path, title } = await locate(kind, ref, options);
      try {
        const answer = await transport.repeat({ what: `get ${title}`, path, ...callOptions(options) });
        return parseObject(JSON.parse(answer.body)) as ObjectOf<K>;
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return undefined;
        throw error;
      }
    },

    async create(object, options = {}) {
      const { name, namespace } = object.metadata;
      const resource = await discovery.resolve(object, callOptions(options));
      const request: ApiRequest = {
        what: `create ${resource.kind} ${name || '(generated name)'}`,
        method: 'POST',
        path: resourcePath(resource, { namespace: needNamespace(resource, namespace, name) }),
        query: {
          fieldManager: FIELD_MANAGER,
          dryRun: options.dryRun ? 'All' : undefined,
          fieldValidation: options.strict ? 'Strict' : undefined,
        },
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(object),
        ...callOptions(options),
      };
      return parsed(await (options.dryRun ? transport.repeat(request) : transport.call(request)));
    },

    async apply(object, options = {}) {
      const namespace = object.metadata.namespace ?? options.namespace;
      const { path, title, resource } = await locate(
        object,
        { name: object.metadata.name, namespace },
        options,
      );
      const { metadata, ...rest } = withoutManagedFields(object);
      const request: ApiRequest = {
        what: `apply ${title}`,
        method: 'PATCH',
        path,
        query: {
          fieldManager: FIELD_MANAGER,
          force: true,
          dryRun: options.dryRun ? 'All' : undefined,
          // Otherwise the server silently drops unknown and duplicate fields.
          fieldValidation: options.strict ? 'Strict' : undefined,
        },
        // The body is JSON, which is valid YAML.
        headers: { 'content-type': 'application/apply-patch+yaml' },
        body: JSON.stringify({
          ...rest,
          metadata: resource.namespaced ? { ...metadata, namespace } : metadata,
        }),
        ...callOptions(options),
      };
      try {
        return parsed(await transport.repeat(request));
      } catch (error) {
        throw asBadRequest(error, title);
      }
    },

    async patch(kind, ref, patch, options = {}) {
      const { path, title } = await locate(kind, ref, options);
      const { subresource } = options;
      const request: ApiRequest = {
        what: `patch ${title}${subresource === undefined ? '' : `/${subresource}`}`,
        method: 'PATCH',
        path: subresource === undefined ? path : `${path}/${subresource}`,
        query: { fieldManager: FIELD_MANAGER },
        headers: {
          'content-type': Array.isArray(patch)
            ? 'application/json-patch+json'
            : 'application/merge-patch+json',
        },
        body: JSON.stringify(patch),
        ...callOptions(options),
      };
      // A merge patch is idempotent; a JSON Patch may not be ("add" to a list).
      return parsed(await (Array.isArray(patch) ? transport.call(request) : transport.repeat(request)));
    },

    async delete(kind, ref, options = {}) {
      const { path, title } = await locate(kind, ref, options);
      const request: ApiRequest = {
        what: `delete ${title}`,
        method: 'DELETE',
        path,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          propagationPolicy: 'Background',
          ...(options.gracePeriodSeconds === undefined
            ? {}
            : { gracePeriodSeconds: options.gracePeriodSeconds }),
        }),
        ...callOptions(options),
      };
      try {
        await transport.repeat(request);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 404) throw error;
      }
    },

    async evict(ref, options = {}) {
      const { path, title } = await locate('Pod', ref, options);
      const answer = await transport.send({
        what: `evict ${title}`,
        method: 'POST',
        path: `${path}/eviction`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: ref }),
        ...callOptions(options),
      });
      if (answer.status < 400) return { evicted: true };
      const status = parseStatus(answer.body);
      // An overloaded server also answers 429, but in plain text.
      if (answer.status !== 429 || !status) {
        throw toApiError(`could not evict ${title}`, answer.status, answer.body);
      }
      const causes = (status.details?.causes ?? []).map((c) => c.message).filter((m) => m !== undefined);
      const reason = [status.message ?? 'too many requests', ...causes].join(' ');
      return { evicted: false, reason };
    },

    async logs(options) {
      const { path } = await locate('Pod', { name: options.pod, namespace: options.namespace }, options);
      const { container, previous, tailLines, limitBytes } = options;
      const answer = await transport.repeat({
        what: `read the ${previous ? 'previous ' : ''}log of ${options.namespace}/${options.pod}/${container}`,
        path: `${path}/log`,
        query: { container, previous, tailLines, limitBytes },
        headers: { accept: '*/*' },
        ...callOptions(options),
      });
      return LOG_UNAVAILABLE.test(answer.body) ? undefined : answer.body;
    },
  };
}

/** The kubelet answers this instead of a log, with status 200 (observed with Kubernetes 1.36). */
const LOG_UNAVAILABLE = /^unable to retrieve container logs for \S+\s*$/;

function needNamespace(resource: Resource, namespace: string | undefined, name: string): string | undefined {
  if (!resource.namespaced) return undefined;
  if (namespace !== undefined && namespace !== '') return namespace;
  throw new UsageError('E_NO_NAMESPACE', `${resource.kind} ${name} needs a namespace`, {
    hint: 'pass a namespace: there is no default, so that nothing is created in the wrong one',
  });
}

/** Turns the 500 of a schema violation into a 400: the manifest is at fault, not the server. */
function asBadRequest(error: unknown, title: string): unknown {
  if (!(error instanceof ApiError) || error.status !== 500) return error;
  const [message] = SCHEMA_REFUSAL.exec(error.message) ?? [];
  if (message === undefined) return error;
  return new ApiError(`could not apply ${title}`, 400, 'BadRequest', message, {
    cause: error,
    hint: 'fix the field in the manifest: the API has no field of this name and type',
  });
}

function callOptions(options: CallOptions): CallOptions {
  return { timeoutMs: options.timeoutMs, signal: options.signal };
}
