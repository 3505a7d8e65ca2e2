import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CheckFailure, DoesNotFit } from '../../../harness/core/errors.ts';
import { Lifecycle } from '../../../harness/core/lifecycle.ts';
import { silentLog } from '../../../harness/core/log.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { Lab } from '../../../harness/run/suite/lab.ts';
import { fakeLab } from '../../../harness/testing/fake-lab.ts';
import { commandPlatform } from './command-platform.ts';
import type { Platform } from './platform.ts';
import { smallEntry } from './registry-entry.ts';

/** A small platform: it records its arguments, and fails on request. */
const PROGRAM = `#!/bin/sh
echo "$@" >> calls
[ -n "$KP_SAYS" ] && echo "$KP_SAYS" >&2
[ -n "$KP_EXIT" ] && exit "$KP_EXIT"
case "$1" in
  status)
    [ "$2" = gone ] && exit 4
    echo '{"phase":"Up","pods":{"want":1,"ready":1,"available":1}}' ;;
  list) printf '{"servers":[{"id":"%s"}]}' "$KP_LISTS" ;;
  usage) printf '{"cores":"250m","bytes":%s}' "$KP_BYTES" ;;
  deploy) touch created ;;
esac
`;

const DESCRIPTION = `
name: tiny
program: [./tiny.sh]
phases: { running: [up] }
operations:
  deploy: { run: [deploy, '{name}', '{namespace}', '{image}', '{timeout}'] }
  list: { run: [list, '{namespace}'], read: { servers: $.servers, name: $.id } }
  status:
    run: [status, '{name}', '{kubeconfig}']
    absent: [4]
    read: { phase: $.phase, wanted: $.pods.want, ready: $.pods.ready, available: $.pods.available }
  usage: { run: [usage, '{name}'], read: { cpu: $.cores, memory: $.bytes } }
  delete: { run: [delete, '{name}'] }
`;

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'a', namespace: 'n', uid: '1' },
  spec: { selector: {}, template: { spec: { containers: [{ name: 'server', image: 'a:1' }] } } },
} as KubeObject;

interface Tiny {
  platform: Platform;
  calls: () => Promise<string[]>;
}

/** @param env of the commands, as a fault sets it */
async function tiny(env: Record<string, string> = {}, created = [deployment]): Promise<Tiny> {
  const folder = await mkdtemp(join(tmpdir(), 'kp-unit-tiny-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'tiny.sh'), PROGRAM);
  await chmod(join(folder, 'tiny.sh'), 0o700);
  await writeFile(join(folder, 'platform.yaml'), DESCRIPTION);
  const kubeconfig = join(folder, 'config.yaml');
  await writeFile(kubeconfig, 'clusters: []\nusers: []\ncontexts: []\n');
  const calls = async (): Promise<string[]> =>
    (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');
  const list = async (kind: { kind: string }): Promise<KubeObject[]> => {
    const done = await readFile(join(folder, 'created')).then(
      () => true,
      () => false,
    );
    return done ? created.filter((object) => object.kind === kind.kind) : [];
  };
  const platform = { KP_LISTS: 'a', KP_BYTES: '1048576', ...env };
  const fault = { name: 'f', description: '', requirements: [], reason: /./, platform };
  const file = join(folder, 'platform.yaml');
  const { lab: shared } = fakeLab({
    kube: { list: list as unknown as KubeClient['list'] },
    fault,
    deps: {
      subject: { chart: 'c', values: [], set: [], patches: [], reference: true, images: [], platform: file },
    },
  });
  Object.assign(shared.deps.cluster, { kubeconfig, context: 'here' });
  const lab = new Lab(shared, new Lifecycle(silentLog), 'app/M-01');
  return { platform: await commandPlatform(lab, file, 'me/server:1'), calls };
}

const entry = { ...smallEntry('n'), replicas: 1 };

describe('a platform of commands', () => {
  it('is called with the values of its placeholders, and read by its paths', async () => {
    const { platform, calls } = await tiny();
    expect(await platform.deploy('a', entry)).toEqual({
      name: 'a',
      namespace: 'n',
      phase: 'running',
      wanted: 1,
      ready: 1,
      available: 1,
      revision: 0,
    });
    expect((await calls())[0]).toBe('deploy a n me/server:1 120');
    expect((await platform.list('n')).map(({ name }) => name)).toEqual(['a']);
  });

  it('fails when it lists a server that it does not know', async () => {
    const { platform } = await tiny({ KP_LISTS: 'gone' });
    await expect(platform.list('n')).rejects.toThrow(
      'tiny lists gone in namespace n, and `status` says that there is no such server',
    );
  });

  it('reports usage in cores and bytes', async () => {
    const { platform } = await tiny();
    await platform.deploy('a', entry);
    expect(await platform.usage('a')).toEqual({ cpu: 0.25, memory: 2 ** 20 });
  });

  it('reports nothing that is no quantity', async () => {
    const { platform } = await tiny({ KP_BYTES: '"much"' });
    await platform.deploy('a', entry);
    await expect(platform.usage('a')).rejects.toThrow(/\$\.bytes of the output of `usage` of tiny/);
  });

  it('gets a kubeconfig as JSON', async () => {
    const { platform, calls } = await tiny();
    await platform.deploy('a', entry);
    const [, file = ''] = /^status a (.+)$/.exec((await calls()).at(-1) ?? '') ?? [];
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ clusters: [] });
  });

  it('has deployed what is new in the namespace', async () => {
    const { platform } = await tiny();
    await platform.deploy('a', entry);
    expect(platform.release('a').objects.map(({ kind }) => kind)).toEqual(['Deployment']);
  });

  it('has failed when nothing is new', async () => {
    const { platform } = await tiny({}, []);
    await expect(platform.deploy('a', entry)).rejects.toThrow(
      'tiny reports a as deployed, and namespace n has no workload of it',
    );
  });

  it('fails by its exit code, with its own words', async () => {
    const { platform } = await tiny({ KP_EXIT: '3', KP_SAYS: 'no room' });
    const failure = await platform.deploy('a', entry).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CheckFailure);
    expect((failure as CheckFailure).message).toBe('tiny: `deploy` exited with 3: no room');
  });

  it('does not fit where it lacks an operation, or a part of one', async () => {
    const { platform } = await tiny();
    await platform.deploy('a', entry);
    const missing = async (action: () => Promise<unknown>): Promise<unknown> =>
      action().catch((error: unknown) => error);
    const logs = await missing(() => platform.logs('a'));
    expect(logs).toBeInstanceOf(DoesNotFit);
    expect((logs as DoesNotFit).message).toBe('the description of tiny has no operations.logs');
    expect(((await missing(() => platform.delete('a', { volumes: true }))) as DoesNotFit).message).toBe(
      'the description of tiny has no operations.delete.with.volumes',
    );
  });
});
