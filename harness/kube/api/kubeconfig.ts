/**
 * Credentials of one cluster from one given file. `~/.kube/config`, `KUBECONFIG` and service accounts are never read: a run must not
 * reach a cluster that it was not given.
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
  /** Authorization and impersonation headers. */
  headers: Record<string, string>;
}

export interface Connection {
  /** URL of the API server, without a trailing slash. */
  server: string;
  context: string;
  proxyUrl: string | undefined;
  config: KubeConfig;
  /** Called for each request: tokens of exec plugins and files expire. */
  credentials(): Promise<Credentials>;
}

/**
 * Reads a kubeconfig and selects the context.
 *
 * @throws UsageError `E_KUBECONFIG` when the file cannot be read or lacks the context
 */
export function loadConnection(options: { kubeconfig: string; context?: string | undefined }): Connection {
  const { kubeconfig } = options;
  if (!existsSync(kubeconfig)) {
    throw new UsageError('E_KUBECONFIG', `kubeconfig ${kubeconfig} does not exist`, {
      hint: 'pass the kubeconfig of a running cluster with --kubeconfig',
    });
  }
  const config = new KubeConfig();
  try {
    // Paths in the file are relative to it, so its own path must be absolute.
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
      hint: `select one with --context; the file has: ${known.join(', ') || 'none'}`,
    });
  }
  config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (!cluster || !config.getCurrentUser()) {
    throw new UsageError('E_KUBECONFIG', `context ${context} of ${kubeconfig} has no cluster or no user`, {
      hint: 'recreate the file, e.g. with `kind export kubeconfig --kubeconfig FILE`',
    });
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
        hint: 'run the credential plugin of the kubeconfig manually and check its output',
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
