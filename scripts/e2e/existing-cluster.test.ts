import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireRunLock, readRuns, type RunLock } from '../../clusters/cleanup/run-lock.ts';
import { createCommandRunner } from '../../harness/core/command.ts';
import { silentLog } from '../../harness/core/log.ts';
import { RUN_LABEL } from '../../harness/core/run-id.ts';
import type { Step } from '../../harness/run/runner/step.ts';
import { FakeApiServer, sendJson, sendStatus } from '../../harness/testing/fake-api-server.ts';
import { existingRunCluster } from './existing-cluster.ts';

const RUN = '1130-0115-o92';
const NAMESPACES = '/api/v1/namespaces';
const RBAC = 'rbac.authorization.k8s.io/v1';
const ROLES = `/apis/${RBAC}/clusterroles`;

let server: FakeApiServer;
let folder: string;
let lock: RunLock;
let warnings: string[];

beforeEach(async () => {
  server = await FakeApiServer.start();
  folder = await mkdtemp(join(tmpdir(), 'kp-unit-'));
  lock = await acquireRunLock(join(folder, 'run'), { run: RUN, registryDir: registryDir() });
  warnings = [];
  const kinds = (kind: string, name: string) => ({
    kind: 'APIResourceList',
    resources: [{ kind, name, namespaced: false, verbs: ['list', 'delete'] }],
  });
  const answers: Record<string, object> = {
    '/version': { gitVersion: 'v1.36.3' },
    '/apis': { groups: [{ name: 'rbac.authorization.k8s.io', versions: [{ groupVersion: RBAC }] }] },
    '/api/v1': kinds('Namespace', 'namespaces'),
    [`/apis/${RBAC}`]: kinds('ClusterRole', 'clusterroles'),
  };
  for (const [path, answer] of Object.entries(answers)) {
    server.answer(path, (_, response) => sendJson(response, 200, answer), 100);
  }
  put(NAMESPACES, 'default');
});
afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

const registryDir = () => join(folder, 'registry');
const copy = () => join(folder, 'run', 'kubeconfig');
const recorded = () => readRuns({ registryDir: registryDir() });

function put(collection: string, name: string, labels: Record<string, string> = {}): void {
  const kind = collection === NAMESPACES ? 'Namespace' : 'ClusterRole';
  server.put(collection, {
    apiVersion: collection === NAMESPACES ? 'v1' : RBAC,
    kind,
    metadata: { name, labels },
  });
}

/** The next request for the object deletes it. */
function expectDeletion(collection: string, name: string): void {
  server.answer(`${collection}/${name}`, (_, response) => {
    server.remove(collection, name);
    sendJson(response, 200, { kind: 'Status' });
  });
}

const step = (): Step => ({
  command: createCommandRunner(),
  log: silentLog,
  signal: new AbortController().signal,
  onProgress: () => {},
  warn: (text) => warnings.push(text),
});

const cluster = (context = 'fake') =>
  existingRunCluster({
    options: { kubeconfig: server.kubeconfig, context },
    plan: { runId: RUN },
    directory: join(folder, 'run'),
    lock,
  });

describe('a run on an existing cluster', () => {
  it('removes what it created and its copy of the kubeconfig, and reports what else is new', async () => {
    put(ROLES, 'old');
    const opened = cluster();
    const { kube } = await opened.open(step(), {});
    expect(await readFile(copy(), 'utf8')).toContain('secret-token');

    put(NAMESPACES, 'kp-x', { [RUN_LABEL]: RUN });
    put(ROLES, 'mine', { [RUN_LABEL]: RUN });
    put(ROLES, 'new');
    expectDeletion(NAMESPACES, 'kp-x');
    expectDeletion(ROLES, 'mine');
    await opened.close(step());
    await kube.close();

    expect(await opened.leftovers(step())).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/: ClusterRole new \(belongs to somebody else\)$/)]);
    const deleted = server.requests.filter(({ method }) => method === 'DELETE');
    expect(deleted.map(({ path }) => path)).toEqual([`${NAMESPACES}/kp-x`, `${ROLES}/mine`]);
    expect(existsSync(copy())).toBe(false);
    await lock.release();
    expect(await recorded()).toEqual([]);
  });

  it('reports what it could not remove, and stays on record with the cluster it worked on', async () => {
    const opened = cluster();
    const { kube } = await opened.open(step(), {});
    put(ROLES, 'mine', { [RUN_LABEL]: RUN });
    server.answer(`${ROLES}/mine`, (_, response) => sendStatus(response, 403, 'Forbidden', 'you may not'), 9);
    await opened.close(step());
    await kube.close();
    await lock.release();
    expect(await opened.leftovers(step())).toEqual([
      'ClusterRole mine: could not delete ClusterRole mine: you may not',
    ]);
    expect(existsSync(copy())).toBe(false);
    expect(await recorded()).toMatchObject([
      { run: RUN, existing: { kubeconfig: server.kubeconfig, context: 'fake' } },
    ]);
  });

  it('leaves neither a kubeconfig nor a record when the cluster cannot be opened', async () => {
    const opened = cluster('unknown');
    await expect(opened.open(step(), {})).rejects.toMatchObject({ code: 'E_KUBECONFIG' });
    await opened.close(step());
    await lock.release();
    expect(existsSync(copy())).toBe(false);
    expect(await recorded()).toEqual([]);
  });
});
