/** What an upgrade must not change, because the API server refuses it. */
import type { KubeObject } from '../../../kube/api/types.ts';
import { field, find, nameOf, podTemplateOf } from '../../../kube/manifests/objects.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';
import { selectedNothing } from '../select.ts';

/** Paths of immutable fields below `spec`, by kind (validation of apps/v1, batch/v1 and v1). */
const IMMUTABLE: Readonly<Record<string, readonly string[]>> = {
  Deployment: ['selector'],
  DaemonSet: ['selector'],
  ReplicaSet: ['selector'],
  StatefulSet: ['selector', 'serviceName', 'podManagementPolicy', 'volumeClaimTemplates'],
  Job: ['selector', 'template', 'completionMode'],
  Service: ['clusterIP'],
  PersistentVolumeClaim: ['accessModes', 'storageClassName', 'selector', 'volumeName', 'volumeMode'],
};

/** Whether any of the objects has an immutable field. */
export function haveImmutableFields(objects: readonly KubeObject[]): boolean {
  return objects.some(({ kind }) => IMMUTABLE[kind] !== undefined);
}

/**
 * An upgrade changes no immutable field.
 *
 * @param before rendered from the present version of the chart, without hooks: helm replaces those
 * @param after rendered from the next version
 */
export function nothingImmutableChanges(
  before: readonly KubeObject[],
  after: readonly KubeObject[],
): PredicateResult {
  const expected = 'a new version of the chart changes no immutable field';
  const pairs = before.flatMap((object) => {
    const later = find(after, object.kind, object.metadata.name);
    return IMMUTABLE[object.kind] && later ? [{ object, later }] : [];
  });
  if (pairs.length === 0) return selectedNothing(expected, 'no object has an immutable field');
  return {
    ...nothingWrong(expected, immutableChanges(before, after)),
    observed: [
      `${pairs.length} objects with immutable fields: ${pairs.map(({ object }) => nameOf(object)).join(', ')}`,
    ],
  };
}

/** `Deployment web: spec.selector.matchLabels.version is "1" and becomes "2"`, for each immutable field that changes. */
export function immutableChanges(before: readonly KubeObject[], after: readonly KubeObject[]): string[] {
  return before.flatMap((object) => {
    const later = find(after, object.kind, object.metadata.name);
    if (!later) return [];
    return (IMMUTABLE[object.kind] ?? []).flatMap((key) => {
      const where = firstDifference(field(object['spec'], key), field(later['spec'], key), `spec.${key}`);
      return where === undefined ? [] : [`${nameOf(object)}: ${where}`];
    });
  });
}

/** Workloads that both versions render select their pods by the same labels. */
export function selectorsStay(before: readonly KubeObject[], after: readonly KubeObject[]): PredicateResult {
  const both = before.filter(
    ({ apiVersion, kind, metadata }) => apiVersion.startsWith('apps/') && find(after, kind, metadata.name),
  );
  const complaints = both.flatMap((object) => {
    const later = find(after, object.kind, object.metadata.name);
    const where = firstDifference(
      field(object['spec'], 'selector'),
      field(later?.['spec'], 'selector'),
      'spec.selector',
    );
    return where === undefined ? [] : [`${nameOf(object)}: ${where}`];
  });
  return nothingWrong('every workload selects its pods by the same labels as before', complaints);
}

/** Labels of pods that change with nothing but the version: each new version restarts these pods. One line for each workload. */
export function changingPodLabels(before: readonly KubeObject[], after: readonly KubeObject[]): string[] {
  return before.flatMap((object) => {
    const labels = podTemplateOf(object)?.metadata.labels;
    const later = find(after, object.kind, object.metadata.name);
    if (!labels || !later) return [];
    const changed = Object.keys(labels).filter(
      (key) => podTemplateOf(later)?.metadata.labels?.[key] !== labels[key],
    );
    return changed.length === 0 ? [] : [`${nameOf(object)}: label ${changed.join(', ')} of its pods`];
  });
}

/** `spec.selector.matchLabels.version is "1" and becomes "2"`; undefined when the values are equal. */
function firstDifference(a: unknown, b: unknown, path: string): string | undefined {
  if (isObject(a) && isObject(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const found = firstDifference(a[key], b[key], Array.isArray(a) ? `${path}[${key}]` : `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return a === b ? undefined : `${path} is ${text(a)} and becomes ${text(b)}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}
