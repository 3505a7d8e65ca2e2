/** Patches for a check's own release that change one thing of the subject. They are made for what the subject renders. */
import type { Container, KubeObject } from '../../harness/kube/api/types.ts';
import { allContainers, podTemplateOf } from '../../harness/kube/manifests/objects.ts';
import type { ManifestPatch, PatchOperation } from '../../harness/kube/manifests/patch.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import { SETTINGS } from './names.ts';
import { renderedRoles, type RegistryRoles } from './roles.ts';

type Renderer = Pick<Lab, 'render'>;

/**
 * The number of replicas of the server, with small CPU requests: several releases have to fit on a small cluster at once. The real requests
 * are checked elsewhere. Workers that use the same database do not run: what they do there is not the server's.
 */
export async function replicas(lab: Renderer, count: number): Promise<ManifestPatch[]> {
  const { deployment, workers } = await renderedRoles(lab);
  return [
    patch(deployment, { op: 'add', path: '/spec/replicas', value: count }, ...smallRequests(deployment)),
    ...workers.map((worker) => patch(worker, { op: 'add', path: '/spec/replicas', value: 0 })),
  ];
}

/** Other values of documented settings. */
export function configured(values: Partial<Record<keyof typeof SETTINGS, string>>): ManifestPatch[] {
  const settings = Object.entries(values).map(([setting, value]) => ({
    ...SETTINGS[setting as keyof typeof SETTINGS],
    value,
  }));
  return [{ settings }];
}

/** A new revision without a real difference, as `kubectl rollout restart` makes it. */
export async function restarted(lab: Renderer, mark: string): Promise<ManifestPatch[]> {
  const { deployment } = await renderedRoles(lab);
  const annotations = podTemplateOf(deployment)?.metadata.annotations ?? {};
  const value = { ...annotations, 'kindproof.dev/restarted': mark };
  return [patch(deployment, { op: 'add', path: '/spec/template/metadata/annotations', value })];
}

/** Without the line that the documents remove when an autoscaler decides. */
export async function leftToTheAutoscaler(lab: Renderer): Promise<ManifestPatch[]> {
  return [patch((await renderedRoles(lab)).deployment, { op: 'remove', path: '/spec/replicas' })];
}

/** Pods that no scheduler places: they can be counted and use nothing. */
export async function unscheduled(lab: Renderer): Promise<ManifestPatch[]> {
  const { deployment } = await renderedRoles(lab);
  return [patch(deployment, { op: 'add', path: `${podPath(deployment)}/schedulerName`, value: 'none' })];
}

/** A liveness probe that fails after seconds instead of half a minute, and a restart without a grace period: a wrong one shows sooner. */
export async function impatientLiveness(lab: Renderer): Promise<ManifestPatch[]> {
  const { deployment, server } = await renderedRoles(lab);
  const probe = `${pathOf(deployment, server)}/livenessProbe`;
  return [
    patch(
      deployment,
      { op: 'add', path: `${probe}/periodSeconds`, value: 2 },
      { op: 'add', path: `${probe}/failureThreshold`, value: 3 },
      { op: 'add', path: `${probe}/terminationGracePeriodSeconds`, value: 1 },
    ),
  ];
}

/** A new pod is never available, because minReadySeconds never passes: both releases serve for as long as a check needs. */
export async function lingering(lab: Renderer): Promise<ManifestPatch[]> {
  const { deployment } = await renderedRoles(lab);
  return [
    patch(
      deployment,
      { op: 'add', path: '/spec/minReadySeconds', value: 3000 },
      // Must be longer.
      { op: 'add', path: '/spec/progressDeadlineSeconds', value: 3600 },
    ),
  ];
}

/** Other images for the containers of the server and of the migrations. */
export function images({ server, migrations }: RegistryRoles, ref: string): ManifestPatch {
  return { images: { [server.name]: ref, [migrations.container.name]: ref } };
}

function patch({ kind, metadata }: KubeObject, ...ops: PatchOperation[]): ManifestPatch {
  return { target: { kind, name: metadata.name }, ops };
}

/** Only of containers that request CPU: the others need none. */
function smallRequests(deployment: KubeObject): PatchOperation[] {
  const spec = podTemplateOf(deployment)?.spec;
  return (spec ? allContainers(spec) : [])
    .filter(({ container }) => container.resources?.requests?.cpu !== undefined)
    .map(({ path }) => ({
      op: 'add',
      path: `${podPath(deployment)}${path}/resources/requests/cpu`,
      value: '50m',
    }));
}

function podPath(deployment: KubeObject): string {
  return podTemplateOf(deployment)?.path ?? '';
}

function pathOf(deployment: KubeObject, container: Container): string {
  return `${podPath(deployment)}/containers/[name=${container.name}]`;
}
