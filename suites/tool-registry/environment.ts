/** What the Tool Registry needs outside the cluster: for each namespace a database, and a tenant of the embedding service. */
import { z } from 'zod';
import { embeddingServiceImage } from '../../fixtures/images/tool-registry.ts';
import { plainPostgresImage, postgresImage } from '../../fixtures/images/postgres.ts';
import { startEmbeddingService, type EmbeddingService } from '../../fixtures/services/embedding.ts';
import { startPostgres, type PostgresServer } from '../../fixtures/services/postgres.ts';
import type { Lifecycle } from '../../harness/core/lifecycle.ts';
import type {
  Environment,
  EnvironmentContext,
  SuiteEnvironment,
} from '../../harness/run/suite/environment.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { RegistryNamespace } from './registry-namespace.ts';

export type RegistryLab = Lab<RegistryOptions, RegistryNamespace>;
export type RegistryRelease = Release<RegistryNamespace>;

export interface RegistryOptions {
  /**
   * `shared` (default): a separate database on the suite's server. `own`: a separate PostgreSQL container, which the check may stop,
   * pause and start again. `bare`: a separate container of the image without pgvector.
   */
  server?: 'shared' | 'own' | 'bare';
  /** `false`: postgres-service has no endpoint until `connect()`. Default `true`. */
  connected?: boolean;
  /** Default: the run's secret. */
  password?: string;
  /** The password in the URL, if it is to be a wrong one. */
  urlPassword?: string;
  /** Whether the extension `vector` exists before the application starts. Default `created`, on a `bare` server `none`. */
  extension?: 'created' | 'none';
  /** The API key of the embedding service; default: the run's secret; `false`: none. */
  apiKey?: string | false;
}

const secretsSchema = z.object({ 'database-password': z.string(), 'embedding-api-key': z.string() });

/** Role of the documents' DATABASE_URL. */
const OWNER = 'toolregistry';

export const registryEnvironment: SuiteEnvironment<RegistryOptions, RegistryNamespace> = {
  title: 'PostgreSQL and an embedding service',
  images: [postgresImage, plainPostgresImage, embeddingServiceImage],
  secrets: ['database-password', 'embedding-api-key'],
  open: (context) => Promise.resolve(new RegistryEnvironment(context)),
};

/** One server and one embedding service for all namespaces of a process, started when the first one is prepared. */
class RegistryEnvironment implements Environment<RegistryOptions, RegistryNamespace> {
  readonly #context: EnvironmentContext;
  readonly #secrets: z.infer<typeof secretsSchema>;
  #server: Promise<PostgresServer> | undefined;
  #embedding: Promise<EmbeddingService> | undefined;

  constructor(context: EnvironmentContext) {
    this.#context = context;
    this.#secrets = secretsSchema.parse(context.secrets);
  }

  async prepare(
    namespace: string,
    options: RegistryOptions = {},
    lifecycle: Lifecycle,
  ): Promise<RegistryNamespace> {
    const { cluster } = this.#context;
    const [server, embedding] = await Promise.all([
      this.#serverFor(namespace, options.server ?? 'shared', lifecycle),
      this.#embeddingService(),
    ]);
    const password = options.password ?? this.#secrets['database-password'];
    const database = await server.createDatabase({
      name: namespace,
      // Roles belong to the server, so another password needs another role.
      owner: options.password === undefined ? OWNER : `${OWNER}-${namespace}`.slice(-63),
      password,
      extension: options.extension ?? (options.server === 'bare' ? 'none' : 'created'),
    });
    lifecycle.defer(`drop database ${namespace}`, () => database.drop());
    const prepared = new RegistryNamespace({
      kube: cluster.kube,
      namespace,
      database,
      embedding: { address: embedding.address(), tenant: embedding.tenant(namespace) },
      urlPassword: options.urlPassword ?? password,
      apiKey: options.apiKey === false ? undefined : (options.apiKey ?? this.#secrets['embedding-api-key']),
    });
    await prepared.create({ connected: options.connected ?? true });
    return prepared;
  }

  /** A service that failed to start is started again for the next namespace. */
  #embeddingService(): Promise<EmbeddingService> {
    const { runId, log, signal } = this.#context;
    this.#embedding ??= startEmbeddingService({ runId, image: embeddingServiceImage.ref, log, signal }).catch(
      (error: unknown) => {
        this.#embedding = undefined;
        throw error;
      },
    );
    return this.#embedding;
  }

  #sharedServer(): Promise<PostgresServer> {
    const { runId, log, signal } = this.#context;
    this.#server ??= startPostgres({ runId, log, signal, name: 'postgres' }).catch((error: unknown) => {
      this.#server = undefined;
      throw error;
    });
    return this.#server;
  }

  #serverFor(
    namespace: string,
    kind: NonNullable<RegistryOptions['server']>,
    lifecycle: Lifecycle,
  ): Promise<PostgresServer> {
    const { runId, log, signal } = this.#context;
    if (kind === 'shared') return this.#sharedServer();
    const image = kind === 'bare' ? plainPostgresImage.ref : postgresImage.ref;
    const starting = startPostgres({ runId, log, signal, name: `postgres-${kind}`, image });
    lifecycle.defer(`remove the PostgreSQL server of ${namespace}`, async () => {
      await (await starting.catch(() => undefined))?.remove();
    });
    return starting;
  }
}
