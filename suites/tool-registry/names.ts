/** Names and numbers from the documents. */
export const DEPLOYMENT = 'tool-registry-api';
export const SERVICE = 'tool-registry-api';
export const CONFIG_MAP = 'tool-registry-config';
export const SECRET = 'tool-registry-secrets';
export const SELECTOR = 'app=tool-registry';
export const CONTAINERS = ['migrations', 'api'] as const;
export const SECRET_KEYS = ['DATABASE_URL', 'EMBEDDING_API_KEY'] as const;
export const RESOURCES = {
  requests: { cpu: '250m', memory: '256Mi' },
  limits: { cpu: '1000m', memory: '512Mi' },
};
export const HOSTNAME = 'kubernetes.io/hostname';
