/** A namespace with Services of the documented names that lead to the database and the embedding service. */
import { asyncpgUrl } from '../../fixtures/services/database-url.ts';
import type { EmbeddingTenant } from '../../fixtures/services/embedding.ts';
import { externalService } from '../../fixtures/services/external-service.ts';
import type { Database, PostgresServer } from '../../fixtures/services/postgres-types.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { ManifestPatch } from '../../harness/kube/manifests/patch.ts';
import type { PreparedNamespace } from '../../harness/run/suite/environment.ts';
import { SETTINGS } from './names.ts';

/** Host names in the documents. */
const DATABASE_SERVICE = 'postgres-service';
const EMBEDDING_SERVICE = 'your-embedding-service';

export interface NamespaceParts {
  kube: KubeClient;
  namespace: string;
  database: Database;
  embedding: { address: { ip: string; port: number }; tenant: EmbeddingTenant };
  /** The password in DATABASE_URL. */
  urlPassword: string;
  /** `undefined`: the containers get none. */
  apiKey: string | undefined;
}

export class RegistryNamespace implements PreparedNamespace {
  readonly namespace: string;
  readonly patches: readonly ManifestPatch[];
  readonly server: PostgresServer;
  readonly database: Database;
  readonly embedding: EmbeddingTenant;
  readonly apiKey: string | undefined;
  /** Of the database's owner. */
  readonly password: string;
  /** As the containers get it. */
  readonly databaseUrl: string;
  /** As the containers get it. */
  readonly embeddingUrl: string;
  readonly #kube: KubeClient;
  readonly #embeddingAddress: { ip: string; port: number };

  constructor(parts: NamespaceParts) {
    const { database, embedding, apiKey, urlPassword } = parts;
    this.namespace = parts.namespace;
    this.database = database;
    this.server = database.server;
    this.password = database.password;
    this.embedding = embedding.tenant;
    this.apiKey = apiKey;
    this.databaseUrl = asyncpgUrl({
      host: DATABASE_SERVICE,
      port: database.server.address().port,
      name: database.name,
      owner: database.owner,
      password: urlPassword,
    });
    this.embeddingUrl = `http://${EMBEDDING_SERVICE}:${embedding.address.port}${embedding.tenant.path}`;
    this.patches = [
      {
        settings: [
          { ...SETTINGS.databaseUrl, value: this.databaseUrl },
          { ...SETTINGS.embeddingUrl, value: this.embeddingUrl, optional: true },
          { ...SETTINGS.apiKey, value: apiKey ?? null, optional: true },
        ],
      },
    ];
    this.#kube = parts.kube;
    this.#embeddingAddress = embedding.address;
  }

  /** Creates the two Services; that of the database has no endpoint unless `connected`. */
  async create({ connected }: { connected: boolean }): Promise<void> {
    const [service, slice] = this.#external(EMBEDDING_SERVICE, this.#embeddingAddress, 'http');
    await Promise.all([
      this.#kube.apply(service),
      this.#kube.apply(slice),
      this.#applyDatabaseService(),
      this.#applyDatabaseEndpoints(connected),
    ]);
  }

  /** postgres-service leads to the server's present address, which may change when it is started again. */
  connect(): Promise<void> {
    return this.#applyDatabaseEndpoints(true);
  }

  /** postgres-service has no endpoint: new connections are refused, open ones stay. */
  disconnect(): Promise<void> {
    return this.#applyDatabaseEndpoints(false);
  }

  async #applyDatabaseService(): Promise<void> {
    const [service] = this.#external(DATABASE_SERVICE, this.server.address(), 'postgres');
    await this.#kube.apply(service);
  }

  async #applyDatabaseEndpoints(connected: boolean): Promise<void> {
    const [, slice] = this.#external(DATABASE_SERVICE, this.server.address(), 'postgres');
    await this.#kube.apply(connected ? slice : { ...slice, endpoints: [] });
  }

  #external(
    name: string,
    { ip, port }: { ip: string; port: number },
    portName: string,
  ): ReturnType<typeof externalService> {
    return externalService({ name, namespace: this.namespace, ip, port, portName });
  }
}
