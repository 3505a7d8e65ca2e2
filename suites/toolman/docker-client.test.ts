import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { chmod } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCommandRunner } from '../../harness/core/command.ts';
import type { ExecOptions, KubeClient } from '../../harness/kube/api/client.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import { makePod } from '../../harness/testing/sample-world.ts';
import { temporaryFolder } from '../../harness/testing/temporary-folder.ts';
import { startDockerClient, type DockerClient } from './docker-client.ts';

/** A pod whose containers are processes of this machine. */
function localPod(exec: (command: string[]) => string[] = (command) => command): {
  kube: KubeClient;
  pod: Pod;
} {
  const pod = makePod({ statuses: [{ name: 'docker-client', state: { running: {} } }] });
  const kube = {
    patch: () => Promise.resolve(pod),
    get: () => Promise.resolve(pod),
    exec: async ({ command }: ExecOptions) => {
      const [file = '', ...args] = exec(command);
      const { exitCode, stdout, stderr } = await createCommandRunner().run(file, args, { reject: false });
      return { exitCode, stdout, stderr };
    },
  } as unknown as KubeClient;
  return { kube, pod };
}

const docker: RequestListener = ({ url }, response) => {
  response.setHeader('Api-Version', '1.45');
  response.end(url === '/version' ? JSON.stringify({ Version: '26.1.5' }) : 'OK');
};
const anything: RequestListener = (_request, response) => response.end('OK');

describe('the client of a Docker daemon', () => {
  let close = (): void => {};
  let socket = '';
  let client: DockerClient;

  beforeEach(async () => {
    socket = join(await temporaryFolder(), 'docker.sock');
    const { kube, pod } = localPod();
    client = await startDockerClient(kube, pod, []);
  });
  afterEach(() => close());

  async function serve(listener: RequestListener): Promise<void> {
    const server = createServer(listener);
    close = () => void server.close();
    await new Promise<void>((resolve) => {
      server.listen(socket, resolve);
    });
  }

  it('returns the version of the daemon, and what protects its socket', async () => {
    await serve(docker);
    await chmod(socket, 0o660);
    const answer = await client.ask(socket);
    expect(answer).toMatchObject({ version: '26.1.5', socket: { mode: 0o660 } });
  });

  it('takes no other program for a daemon', async () => {
    await serve(anything);
    expect(await client.ask(socket)).toMatchObject({ error: 'another program answers' });
  });

  it('returns why there is no answer', async () => {
    expect(await client.ask(socket)).toEqual({ error: 'ENOENT' });
  });

  it('is an error of the check when it does not work', async () => {
    const { kube, pod } = localPod(() => ['sh', '-c', 'echo no such program >&2; exit 127']);
    const broken = await startDockerClient(kube, pod, []);
    await expect(broken.ask(socket)).rejects.toMatchObject({
      code: 'E_OWN_CONTAINER',
      message: expect.stringContaining('exit code 127: no such program') as string,
    });
  });
});
