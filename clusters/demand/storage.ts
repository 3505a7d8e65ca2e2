/** The storage classes that follow from rendered objects. Pure. */
import type { KubeObject } from '../../harness/kube/api/types.ts';
import type { NodeWish, Provided, Topology } from '../../harness/kube/cluster/cluster.ts';
import { field, nameOf, ofKind, podTemplateOf } from '../../harness/kube/manifests/objects.ts';
import { isObjectName } from '../topology.ts';

/** Those of the node image. */
const ALWAYS_THERE: readonly string[] = ['standard', 'shared'];

const OF_SEVERAL_NODES: readonly unknown[] = ['ReadWriteMany', 'ReadOnlyMany'];

/** A claim of its own, of a template or of a volume. */
interface Claim {
  /** `PersistentVolumeClaim data`, `claim template data of StatefulSet store`. */
  title: string;
  spec: unknown;
}

/**
 * The classes that claims name and a new cluster lacks. Not those that the objects render themselves, also as the class of a volume: such
 * claims are bound to it, without a StorageClass. A class is for several nodes if one of its claims is.
 *
 * @param objects of all subjects of a run: a class that one of them renders must not exist before it
 */
export function storageFor(objects: readonly KubeObject[]): { topology: Topology; provided: Provided } {
  const rendered = new Set([
    ...ofKind(objects, 'StorageClass').map(({ metadata }) => metadata.name),
    ...ofKind(objects, 'PersistentVolume').map((volume) => field(volume['spec'], 'storageClassName')),
  ]);
  const claims = new Map<string, Claim[]>();
  for (const claim of objects.flatMap(claimsOf)) {
    const name = field(claim.spec, 'storageClassName');
    if (typeof name !== 'string' || name === '' || ALWAYS_THERE.includes(name)) continue;
    if (rendered.has(name) || isForExistingVolume(claim)) continue;
    claims.set(name, [...(claims.get(name) ?? []), claim]);
  }
  const storageClasses = [...claims]
    .filter(([name]) => isObjectName(name))
    .map(([name, ofClass]) => ({ name, isShared: ofClass.some(isOfSeveralNodes) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const wish = (name: string, rest: string): NodeWish => ({
    what: `StorageClass ${name}${rest}`,
    why: [...new Set(claims.get(name)?.map(({ title }) => title))].join(' and '),
  });
  return {
    topology: { groups: [], ...(storageClasses.length > 0 && { storageClasses }) },
    provided: {
      given: storageClasses.map(({ name, isShared }) =>
        wish(name, isShared ? ', which several nodes can mount' : ', whose volumes stay on one node'),
      ),
      missing: [...claims.keys()]
        .filter((name) => !isObjectName(name))
        .map((name) => wish(name, ': no object can have this name')),
    },
  };
}

function claimsOf(object: KubeObject): Claim[] {
  if (object.kind === 'PersistentVolumeClaim') return [{ title: nameOf(object), spec: object['spec'] }];
  const [set] = ofKind([object], 'StatefulSet');
  return [
    ...list(field(set?.['spec'], 'volumeClaimTemplates')).map((template) => ({
      title: `claim template ${String(field(field(template, 'metadata'), 'name'))} of ${nameOf(object)}`,
      spec: field(template, 'spec'),
    })),
    ...list(podTemplateOf(object)?.spec.volumes).map((volume) => ({
      title: `volume ${String(field(volume, 'name'))} of ${nameOf(object)}`,
      spec: field(field(field(volume, 'ephemeral'), 'volumeClaimTemplate'), 'spec'),
    })),
  ];
}

/** No volume is created for a claim that names one or selects among those that exist. */
function isForExistingVolume({ spec }: Claim): boolean {
  return [field(spec, 'volumeName') ?? '', field(spec, 'selector') ?? ''].some((value) => value !== '');
}

function isOfSeveralNodes({ spec }: Claim): boolean {
  return list(field(spec, 'accessModes')).some((mode) => OF_SEVERAL_NODES.includes(mode));
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
