import { describe, expect, it } from 'vitest';
import { copiedTo } from './copied.ts';

describe('copiedTo', () => {
  it('has name, labels and content, and nothing that the API server has chosen', () => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a', namespace: 'old', uid: '1', resourceVersion: '7', labels: { app: 'a' } },
      spec: { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ports: [{ port: 80, nodePort: 30080 }] },
      status: { loadBalancer: {} },
    };
    expect(copiedTo('new', service)).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a', namespace: 'new', labels: { app: 'a' } },
      spec: { ports: [{ port: 80 }] },
    });
  });
});
