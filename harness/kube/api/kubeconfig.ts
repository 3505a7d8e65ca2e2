/**
 * Credentials of one cluster, from one named file. Neither `~/.kube/config` nor `KUBECONFIG` nor a service account is ever
 * looked at: a run must not be able to reach a cluster that it was not given.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { InfrastructureError, messageOf, UsageError } from '../../core/errors.ts';

export interface Credentials {
  tls: {
    ca?: string | Buffer;
    cert?: string | Buffer;
    key?: string | Buffer;
    servername?: string;
    rejectUnauthorized?: boolean;
  };
  /** Authorization and impersonation. */
  headers: Record<string, string>;
}

export interface Connection {
  /** URL of the API server, without a trailing slash. */
  server: string;
  context: string;
  proxyUrl: string | undefined;
  config: KubeConfig;
  /** Read at each request: tokens of exec plugins and files expire. */
  credentials(): Promise<Credentials>;
}

/**
 * Reads a kubeconfig file and chooses its context.
 *
 * @throws UsageError `E_KUBECONFIG` when the file cannot be read or has no such context
 */
export function loadConnection(options: { kubeconfig: string; context?: string | undefined }): Connection {
  const { kubeconfig } = options;
  if (!existsSync(kubeconfig)) {
    throw new UsageError('E_KUBECONFIG', `kubeconfig ${kubeconfig} does not exist`, {
      hint: 'name the file of a running cluster with --kubeconfig',
    });
  }
  const config = new KubeConfig();
  try {
    // Paths in the file are relative to it, so its own path has to be absolute.
    config.loadFromFile(resolve(kubeconfig));
  } catch (error) {
    throw new UsageError('E_KUBECONFIG', `kubeconfig ${kubeconfig} cannot be read: ${messageOf(error)}`, {
      cause: error,
      hint: 'check that the file is a complete kubeconfig (clusters, contexts, users)',
    });
  }
  const context = options.context ?? config.getCurrentContext();
  const known = config.getContexts().map((c) => c.name);
  if (!known.includes(context)) {
    const what = context ? `has no context ${context}` : 'has no current-context';
    throw new UsageError('E_KUBECONFIG', `kubeconfig ${kubeconfig} ${what}`, {
      hint: `name one with --context; the file has: ${known.join(', ') || 'none'}`,
    });
  }
  config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (!cluster || !config.getCurrentUser()) {
    throw new UsageError(
      'E_KUBECONFIG',
      `context ${context} of ${kubeconfig} lacks its cluster or its user`,
      {
        hint: 'write the file anew, e.g. with `kind export kubeconfig --kubeconfig FILE`',
      },
    );
  }
  return {
    server: cluster.server,
    context,
    proxyUrl: cluster.proxyUrl,
    config,
    credentials: () => readCredentials(config, context),
  };
}

async function readCredentials(config: KubeConfig, context: string): Promise<Credentials> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (error) {
    throw new InfrastructureError(
      'E_KUBE_CREDENTIALS',
      `no credentials for context ${context}: ${messageOf(error)}`,
      {
        cause: error,
        hint: 'run the credential plugin that the kubeconfig names by hand and see what it says',
      },
    );
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value);
  }
  if (options.auth) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const { servername, rejectUnauthorized } = options;
  const [ca, cert, key] = [options.ca, options.cert, options.key] as (string | Buffer | undefined)[];
  return {
    headers,
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(servername === undefined ? {} : { servername }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    },
  };
}
