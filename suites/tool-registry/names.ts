/** Names and numbers from the documents. */
export const DEPLOYMENT = 'tool-registry-api';
export const SERVICE = 'tool-registry-api';
export const CONFIG_MAP = 'tool-registry-config';
export const SECRET = 'tool-registry-secrets';
export const SELECTOR = 'app=tool-registry';
/** Containers. */
export const API = 'api';
export const MIGRATIONS = 'migrations';
export const CONTAINERS = [MIGRATIONS, API] as const;
export const SECRET_KEYS = ['DATABASE_URL', 'EMBEDDING_API_KEY'] as const;
export const RESOURCES = {
  requests: { cpu: '250m', memory: '256Mi' },
  limits: { cpu: '1000m', memory: '512Mi' },
};
export const HOSTNAME = 'kubernetes.io/hostname';

/** What the containers read, by the documented variables. A URL counts whatever it is called. */
export const SETTINGS = {
  databaseUrl: { names: ['DATABASE_URL'], like: String.raw`^postgres(ql)?(\+\w+)?://` },
  embeddingUrl: { names: ['EMBEDDING_ENDPOINT_URL'], like: String.raw`^https?://\S*embed` },
  apiKey: { names: ['EMBEDDING_API_KEY'] },
  threshold: { names: ['DEFAULT_SIMILARITY_THRESHOLD'] },
  limit: { names: ['DEFAULT_SEARCH_LIMIT'] },
} as const;
