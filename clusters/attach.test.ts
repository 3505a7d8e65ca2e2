import { afterEach, beforeEach, expect, it } from 'vitest';
import { InterruptedError } from '../harness/core/errors.ts';
import { silentLog } from '../harness/core/log.ts';
import { RUN_LABEL } from '../harness/core/run-id.ts';
import { FakeApiServer, sendJson } from '../harness/testing/fake-api-server.ts';
import { attachCluster } from './attach.ts';

let server: FakeApiServer;

beforeEach(async () => {
  server = await FakeApiServer.start();
});
afterEach(() => server.stop());

it('labels the namespace of a probe and deletes it after the run was interrupted', async () => {
  const control = new AbortController();
  server.answer('/api/v1/namespaces', ({ body }, response) => {
    sendJson(response, 201, JSON.parse(body) as object);
  });
  server.answer(/\/serviceaccounts\/default$/, (_, response) => {
    sendJson(response, 200, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
  });
  // The probe's pod is never answered.
  server.answer(/\/pods$/, () => {
    control.abort();
  });
  server.answer(/\/kp-probe-[0-9a-f]+$/, (_, response) => {
    sendJson(response, 200, { kind: 'Status' });
  });
  const cluster = await attachCluster(
    {
      provider: 'existing',
      name: 'fake',
      context: 'fake',
      kubeconfig: server.kubeconfig,
      kubernetes: 'v1.36.3',
      fate: 'cleaned',
    },
    { log: silentLog, signal: control.signal, labels: { [RUN_LABEL]: 'r1' } },
  );
  await expect(cluster.capability('pod-security-admission')).rejects.toBeInstanceOf(InterruptedError);
  const created = server.requests.find(({ path }) => path === '/api/v1/namespaces');
  expect(JSON.parse(created?.body ?? '')).toMatchObject({ metadata: { labels: { [RUN_LABEL]: 'r1' } } });
  expect(server.requests.at(-1)).toMatchObject({
    method: 'DELETE',
    path: expect.stringMatching(/^\/api\/v1\/namespaces\/kp-probe-/) as string,
  });
  await cluster.kube.close();
});
