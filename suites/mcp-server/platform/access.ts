/** Kubeconfig files for platforms: of the cluster of the run, and others on purpose. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { waitFor } from '../../../harness/core/deadline.ts';
import { makePrivateFolder, writePrivateFile } from '../../../harness/core/private-files.ts';
import { isAllowed } from '../../../harness/kube/api/access-review.ts';
import type { KubeClient } from '../../../harness/kube/api/client.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Right } from './platform.ts';

const kubeconfigSchema = z.looseObject({
  clusters: z.array(z.looseObject({ name: z.string(), cluster: z.looseObject({ server: z.string() }) })),
  users: z.array(z.looseObject({ name: z.string(), user: z.looseObject({}) })),
  contexts: z.array(z.looseObject({ name: z.string() })),
});

export type Kubeconfig = z.infer<typeof kubeconfigSchema>;

export async function readKubeconfig(file: string): Promise<Kubeconfig> {
  return kubeconfigSchema.parse(parse(await readFile(file, 'utf8')));
}

/** A private folder for credentials, which is removed when the check ends. */
export async function privateFolder(lab: Pick<Lab, 'runDirectory' | 'defer'>): Promise<string> {
  await makePrivateFolder(lab.runDirectory);
  const folder = await mkdtemp(join(lab.runDirectory, '.platform-'));
  lab.defer('remove the files for the platform', () => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Path of a new file with the kubeconfig, as JSON, which is YAML, too: not every language has a parser for YAML at hand. */
export async function kubeconfigIn(folder: string, name: string, config: Kubeconfig): Promise<string> {
  const file = join(folder, name);
  await writePrivateFile(file, JSON.stringify(config));
  return file;
}

/** The same clusters at another address. */
export function atAddress(config: Kubeconfig, server: string): Kubeconfig {
  const clusters = config.clusters.map((one) => ({ ...one, cluster: { ...one.cluster, server } }));
  return { ...config, clusters };
}

/** The same clusters for the owner of a token. */
export function withToken(config: Kubeconfig, token: string): Kubeconfig {
  return { ...config, users: config.users.map(({ name }) => ({ name, user: { token } })) };
}

/** Gives a ServiceAccount of a namespace the rights of a Role there, and waits until the API server knows. */
export async function grant(
  kube: KubeClient,
  { namespace, name }: { namespace: string; name: string },
  rules: readonly Right[],
): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  await kube.create({ apiVersion, kind: 'Role', metadata: { name, namespace }, rules });
  await kube.create({
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name, namespace },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
  });
  const rule = rules.at(-1);
  const [resource = '', subresource = ''] = (rule?.resources[0] ?? '').split('/');
  const verb = rule?.verbs[0] ?? '';
  const request = {
    group: rule?.apiGroups[0] ?? '',
    resource,
    subresource,
    verb,
    name: rule?.resourceNames?.[0] ?? '',
  };
  await waitFor<undefined>({
    what: `Role ${name} in namespace ${namespace} to be in force`,
    timeoutMs: 30_000,
    look: async () =>
      (await isAllowed(kube, { namespace, name }, request))
        ? { done: true, value: undefined }
        : { done: false, seen: `${verb} ${resource} is denied` },
  });
}

/** Creates a ServiceAccount without any rights, and returns a token of it. */
export async function serviceAccountToken(
  kube: KubeClient,
  namespace: string,
  name: string,
): Promise<string> {
  await kube.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
  await kube.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, annotations: { 'kubernetes.io/service-account.name': name } },
    type: 'kubernetes.io/service-account-token',
  });
  return waitFor<string>({
    what: `Secret ${name} in namespace ${namespace} to have a token`,
    timeoutMs: 30_000,
    look: async () => {
      const token = (await kube.get('Secret', { name, namespace }))?.data?.['token'];
      return token === undefined
        ? { done: false, seen: 'none' }
        : { done: true, value: Buffer.from(token, 'base64').toString() };
    },
  });
}
