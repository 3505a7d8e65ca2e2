/** To whom an object of the cluster belongs. */
import { z } from 'zod';
import { RUN_LABEL } from '../../core/run-id.ts';
import type { KubeObject } from './types.ts';

/** Annotations by which helm claims an object (helm, pkg/action/validate.go). */
export const HELM_RELEASE = 'meta.helm.sh/release-name';
export const HELM_NAMESPACE = 'meta.helm.sh/release-namespace';

const managedSchema = z.array(
  z.looseObject({ manager: z.string().optional(), subresource: z.string().optional() }),
);

const serviceSchema = z.looseObject({ namespace: z.string() });
const referencesSchema = z.looseObject({
  webhooks: z
    .array(z.looseObject({ clientConfig: z.looseObject({ service: serviceSchema.nullish() }).nullish() }))
    .nullish(),
  subjects: z.array(z.looseObject({ namespace: z.string().optional() })).nullish(),
  spec: z
    .looseObject({
      service: serviceSchema.nullish(),
      claimRef: z.looseObject({ namespace: z.string().optional() }).nullish(),
    })
    .nullish(),
});

/**
 * The namespaces for which a cluster-scoped object exists: of the Service of a webhook or of an aggregated API, of the accounts of a
 * binding, of the claim of a volume. `undefined` for one of them that is in none, such as a webhook with a URL.
 */
export function referredNamespaces(object: KubeObject): (string | undefined)[] {
  const { data } = referencesSchema.safeParse(object);
  switch (object.kind) {
    case 'ValidatingWebhookConfiguration':
    case 'MutatingWebhookConfiguration':
      return (data?.webhooks ?? []).map(({ clientConfig }) => clientConfig?.service?.namespace);
    case 'APIService':
      return [data?.spec?.service?.namespace];
    case 'ClusterRoleBinding':
      return (data?.subjects ?? []).map(({ namespace }) => namespace);
    case 'PersistentVolume':
      return [data?.spec?.claimRef?.namespace];
    default:
      return [];
  }
}

/** The field manager that created an object, such as `helm` or `kube-controller-manager`. */
export function creatorOf(object: KubeObject): string | undefined {
  // The first field manager is the one that created the object.
  return managed(object)[0]?.manager;
}

/** Completes "it …": `belongs to the Helm release web in namespace prod`, `was made with kubectl-create`. */
export function ownershipOf(object: KubeObject): string {
  const { labels, annotations } = object.metadata;
  const run = labels?.[RUN_LABEL];
  if (run !== undefined) return `belongs to run ${run}`;
  const release = annotations?.[HELM_RELEASE];
  if (release !== undefined) {
    return `belongs to the Helm release ${release} in namespace ${annotations?.[HELM_NAMESPACE] ?? '?'}`;
  }
  const manager = creatorOf(object);
  return manager === undefined ? 'belongs to somebody else' : `was made with ${manager}`;
}

/** Who has written fields of an object, each once; without those of a subresource, such as its status. */
export function managersOf(object: KubeObject): string[] {
  const own = managed(object).filter(({ subresource }) => subresource === undefined);
  return [...new Set(own.flatMap(({ manager }) => manager ?? []))];
}

function managed({ metadata }: KubeObject): z.infer<typeof managedSchema> {
  return managedSchema.safeParse((metadata as { managedFields?: unknown }).managedFields).data ?? [];
}
