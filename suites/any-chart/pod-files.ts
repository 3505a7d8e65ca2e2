/** Reads the files that pods have from ConfigMaps and Secrets, on their nodes. */
import { filesOf } from '../../clusters/nodes/container-files.ts';
import type { KubeObject } from '../../harness/kube/api/types.ts';
import type { NodeAccess } from '../../harness/kube/cluster/cluster.ts';
import {
  type FoundFile,
  hashOfKey,
  mountedFiles,
} from '../../harness/observe/predicates/live/mounted-files.ts';
import { notAboutSubject } from '../../harness/run/suite/not-about-subject.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import type { LiveWorkload } from './live-workloads.ts';

/** Every mounted file of these pods, beside what the present object has. */
export async function readMountedFiles(
  { kube }: Release,
  nodes: NodeAccess,
  workloads: readonly LiveWorkload[],
): Promise<FoundFile[]> {
  const found = await Promise.all(
    workloads.map(async ({ model, namespace, pods }) => {
      const sources = new Map<string, KubeObject>();
      for (const { kind, name } of model.configuration) {
        const object = await kube.get(kind, { name, namespace });
        if (object) sources.set(`${kind} ${name}`, { ...object, kind });
      }
      const find = (kind: string, name: string): KubeObject | undefined => sources.get(`${kind} ${name}`);
      const wanted = mountedFiles(model.template.spec, find);
      const containers = [...new Set(wanted.map(({ container }) => container))];
      return Promise.all(
        pods.flatMap((pod) =>
          containers.map(async (container) => {
            const own = wanted.filter((file) => file.container === container);
            const hashes = await notAboutSubject('E_NOT_READ', 'files could not be read', async () =>
              (await filesOf(nodes, pod, container)).hashes(own.map(({ path }) => path)),
            );
            return own.map((file): FoundFile => {
              const object = find(file.kind, file.name);
              return {
                ...file,
                pod: pod.metadata.name,
                found: hashes.get(file.path),
                wanted: object && hashOfKey(object, file.key),
              };
            });
          }),
        ),
      );
    }),
  );
  return found.flat(2);
}
