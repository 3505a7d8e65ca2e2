import { describe, expect, it } from 'vitest';
import type { EmbeddingTenant } from '../../fixtures/services/embedding.ts';
import type { Database } from '../../fixtures/services/postgres-types.ts';
import type { KubeClient } from '../../harness/kube/api/client.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import { object, sampleContainer, sampleDeployment } from '../../harness/testing/sample-objects.ts';
import { patchObjects } from '../../harness/kube/manifests/patch.ts';
import { RegistryNamespace, type NamespaceParts } from './registry-namespace.ts';

/** A cluster that keeps the last version of each object, and a server whose address can change. */
function prepared(parts: Partial<NamespaceParts> = {}) {
  const applied = new Map<string, KubeObject>();
  const kube: Partial<KubeClient> = {
    apply: (applying) => {
      applied.set(applying.metadata.name, applying);
      return Promise.resolve(applying);
    },
  };
  const at = { ip: '172.18.0.9' };
  const database: Partial<Database> = {
    name: 'kp-1',
    owner: 'toolregistry',
    password: 'p@ss',
    server: { address: () => ({ ip: at.ip, port: 5432 }) } as Database['server'],
  };
  const registry = new RegistryNamespace({
    kube: kube as KubeClient,
    namespace: 'kp-1',
    database: database as Database,
    embedding: {
      address: { ip: '172.18.0.8', port: 8001 },
      tenant: { path: '/kp-1/embed' } as EmbeddingTenant,
    },
    urlPassword: 'p@ss',
    apiKey: 'key',
    ...parts,
  });
  const addresses = (service: string): string[] =>
    (applied.get(`${service}-external`)?.['endpoints'] as { addresses: string[] }[]).flatMap(
      (e) => e.addresses,
    );
  return { registry, addresses, at };
}

const subject = [
  object('v1', 'Secret', 'tool-registry-secrets', {
    stringData: { DATABASE_URL: 'x', EMBEDDING_API_KEY: '' },
  }),
  object('v1', 'ConfigMap', 'tool-registry-config', { data: { 'embedding-endpoint-url': 'x', other: 'y' } }),
  sampleDeployment({
    containers: [
      sampleContainer({
        env: [
          {
            name: 'DATABASE_URL',
            valueFrom: { secretKeyRef: { name: 'tool-registry-secrets', key: 'DATABASE_URL' } },
          },
          {
            name: 'EMBEDDING_API_KEY',
            valueFrom: { secretKeyRef: { name: 'tool-registry-secrets', key: 'EMBEDDING_API_KEY' } },
          },
          {
            name: 'EMBEDDING_ENDPOINT_URL',
            valueFrom: { configMapKeyRef: { name: 'tool-registry-config', key: 'embedding-endpoint-url' } },
          },
        ],
      }),
    ],
  }),
];

describe('RegistryNamespace', () => {
  it('fills in the documented keys, with the password percent-encoded', () => {
    const [secret, config] = patchObjects(subject, prepared().registry.patches);
    expect(secret?.['stringData']).toEqual({
      DATABASE_URL: 'postgresql+asyncpg://toolregistry:p%40ss@postgres-service:5432/kp-1',
      EMBEDDING_API_KEY: 'key',
    });
    expect(config?.['data']).toEqual({
      'embedding-endpoint-url': 'http://your-embedding-service:8001/kp-1/embed',
      other: 'y',
    });
  });

  it('can give a wrong password and leave the API key out', () => {
    const { registry } = prepared({ urlPassword: 'wrong', apiKey: undefined });
    const [secret] = patchObjects(subject, registry.patches);
    expect(secret?.['stringData']).toEqual({ DATABASE_URL: expect.stringContaining(':wrong@') as string });
    expect(registry.password).toBe('p@ss');
  });

  it('leads to the present address of the database while it is connected', async () => {
    const { registry, addresses, at } = prepared();
    await registry.create({ connected: false });
    expect([addresses('postgres-service'), addresses('your-embedding-service')]).toEqual([
      [],
      ['172.18.0.8'],
    ]);
    await registry.connect();
    expect(addresses('postgres-service')).toEqual(['172.18.0.9']);
    at.ip = '172.18.0.10';
    await registry.connect();
    expect(addresses('postgres-service')).toEqual(['172.18.0.10']);
    await registry.disconnect();
    expect(addresses('postgres-service')).toEqual([]);
  });
});
