import { describe, expect, it } from 'vitest';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import { runtimeHandlerOf } from './runtime-handler-of.ts';

const CONTAINER = '180221c753053aa5045e16e0ed04e08600a5acf1c80657aa3dc0baacb57f6b04';
const SANDBOX = '12418ed97110fb485ae5c4c7efb515bb3dbd1390abe571eac494ffefa7846742';

const encoded = (metadata: object) => Buffer.from(JSON.stringify(metadata)).toString('base64');
const extension = (kind: string, metadata: object) => ({
  [`io.cri-containerd.${kind}.metadata`]: {
    type_url: `github.com/containerd/cri/pkg/store/${kind}/Metadata`,
    value: encoded({ Version: 'v1', Metadata: metadata }),
  },
});

/** Output of `ctr containers info` of containerd 2.3.4, without fields that are not read. */
function containerd(handler: string): NodeAccess {
  const records: Record<string, object> = {
    [CONTAINER]: {
      ID: CONTAINER,
      Image: 'docker.io/library/busybox:1.35.0',
      Runtime: {
        Name: 'io.containerd.runc.v2',
        Options: { type_url: 'containerd.runc.v1.Options', value: 'SAE=' },
      },
      Extensions: extension('container', { ID: CONTAINER, Name: 'c_rc_default_0', SandboxID: SANDBOX }),
      SandboxID: SANDBOX,
    },
    [SANDBOX]: {
      ID: SANDBOX,
      Image: 'registry.k8s.io/pause:3.10',
      Extensions: extension('sandbox', { ID: SANDBOX, IP: '10.244.2.2', RuntimeHandler: handler }),
    },
  };
  return {
    run(_node, command) {
      const record = records[command.at(-1) ?? ''];
      const stdout = JSON.stringify(record, null, 4);
      return Promise.resolve({ command: command.join(' '), exitCode: 0, stdout, stderr: '', durationMs: 1 });
    },
  };
}

const pod = (containerStatuses: object[]): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'agent', namespace: 'n' },
    spec: { nodeName: 'n1', runtimeClassName: 'nvidia', containers: [] },
    status: { phase: 'Running', containerStatuses },
  }) as Pod;
const running = { state: { running: {} }, containerID: `containerd://${CONTAINER}` };

describe('runtimeHandlerOf', () => {
  it.each(['nvidia', ''])('reads the handler "%s" of the sandbox of a running container', async (handler) => {
    const ended = { state: { terminated: { exitCode: 0 } }, containerID: 'containerd://00' };
    expect(await runtimeHandlerOf(containerd(handler), pod([ended, running]))).toBe(handler);
  });

  it('rejects a pod that is not running, and a cluster without node access', async () => {
    await expect(runtimeHandlerOf(containerd(''), pod([]))).rejects.toMatchObject({ code: 'E_NOT_RUNNING' });
    await expect(runtimeHandlerOf(undefined, pod([running]))).rejects.toMatchObject({
      code: 'E_NO_NODE_ACCESS',
    });
  });

  it('rejects a runtime without metadata', async () => {
    const bare: NodeAccess = {
      run: () =>
        Promise.resolve({
          command: '',
          exitCode: 0,
          stdout: '{"Extensions":null}',
          stderr: '',
          durationMs: 1,
        }),
    };
    await expect(runtimeHandlerOf(bare, pod([running]))).rejects.toMatchObject({ code: 'E_RUNTIME_RECORD' });
  });
});
