/** Resolves every reference of rendered objects: to other objects, keys, ports, volumes and labels. */
import type { ConfigMap, KubeObject } from '../api/types.ts';
import { field, find, isHelmTest, nameOf } from './objects.ts';
import { objectReferences } from './object-references.ts';
import { podReferences } from './pod-references.ts';
import type { Lookup, ObjectReference, ReferencedKind, ReferenceProblem } from './reference.ts';

/** Cluster-scoped kinds. Without a cluster, a reference to one that the chart does not render stays unresolved. */
const CLUSTER_SCOPED: ReadonlySet<ReferencedKind> = new Set([
  'StorageClass',
  'RuntimeClass',
  'PriorityClass',
  'Node',
  'PersistentVolume',
  'Namespace',
]);

/** Kubernetes creates these in every namespace. */
const ALWAYS_THERE: ReadonlySet<string> = new Set(['ServiceAccount default', 'ConfigMap kube-root-ca.crt']);

export interface ReferenceReport {
  problems: ReferenceProblem[];
  /** Number of references checked. */
  checked: number;
}

/**
 * Resolves every reference, first against the rendered objects, then against the cluster. Optional references and keys may be
 * missing. References of `helm test` pods are included: a test that cannot start proves nothing.
 *
 * @param lookup without it, references to cluster-scoped objects that the chart does not render are accepted
 */
export async function checkReferences(
  objects: readonly KubeObject[],
  lookup?: Lookup,
): Promise<ReferenceReport> {
  const system = objects.filter((object) => !isHelmTest(object));
  // What exists only for a test may refer to other objects of the test; no object of the system may.
  const collected = objects.flatMap((object) => [
    podReferences(object),
    objectReferences(object, isHelmTest(object) ? objects : system),
  ]);
  const problems = collected.flatMap((references) => references.problems);
  for (const reference of collected.flatMap((references) => references.toFollow)) {
    const problem = await follow(reference, objects, lookup);
    if (problem) problems.push(problem);
  }
  return {
    problems,
    checked: collected.reduce((sum, { checked, toFollow }) => sum + checked + toFollow.length, 0),
  };
}

async function follow(
  reference: ObjectReference,
  objects: readonly KubeObject[],
  lookup: Lookup | undefined,
): Promise<ReferenceProblem | undefined> {
  const { object, path, kind, name, namespace, keys = [], optional = false } = reference;
  const refers = `${kind} ${name}`;
  const problem = (why: string): ReferenceProblem => ({ object: nameOf(object), path, refers, why });
  if (name === '') return problem(`the name of the ${kind} is empty`);
  if (ALWAYS_THERE.has(refers)) return undefined;
  const from = namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } };
  const target = find(objects, kind, name) ?? (await lookup?.(kind, name, from));
  if (!target) {
    // Of somebody else, who is not on this cluster.
    if (lookup && namespace !== undefined && !(await lookup('Namespace', namespace, object)))
      return undefined;
    if (optional || (!lookup && CLUSTER_SCOPED.has(kind))) return undefined;
    return problem(
      `${refers} is neither rendered${lookup ? ' nor in the cluster' : ''}${nearMiss(objects, kind)}`,
    );
  }
  const have = keysOf(target);
  const missing = optional ? [] : keys.filter((key) => !have.includes(key));
  if (missing.length === 0) return undefined;
  return problem(`${refers} has no key ${missing.join(', ')}; it has ${have.join(', ') || 'none'}`);
}

function nearMiss(objects: readonly KubeObject[], kind: string): string {
  const names = objects.filter((o) => o.kind === kind).map((o) => o.metadata.name);
  return names.length === 0 ? '' : `; rendered is ${kind} ${names.join(', ')}`;
}

function keysOf(object: KubeObject): string[] {
  const { data, binaryData } = object as ConfigMap;
  const stringData = field(object, 'stringData') as Record<string, string> | undefined;
  return Object.keys({ ...data, ...binaryData, ...stringData });
}
