/** Configuration that stays old in running pods when it changes. */
import type { KubeObject } from '../../../kube/api/types.ts';
import type { ModelWorkload, UsedConfiguration } from '../../../kube/manifests/model/model.ts';
import { allContainers } from '../../../kube/manifests/objects.ts';
import { everyOne } from '../select.ts';
import type { PredicateResult } from '../result.ts';

/**
 * No container keeps the old content of a ConfigMap or Secret of the chart: it is mounted as a directory, which the kubelet updates, or a
 * change also changes the pod template.
 *
 * A file by subPath and an environment variable are read once (Kubernetes documentation, "Mounted ConfigMaps are updated automatically").
 * Any hash in the metadata of the template counts as a checksum, because it does not show what it was computed from.
 *
 * @param workloads those whose pods run without an end: every Job reads its configuration anew
 */
export function configurationFollows(workloads: readonly ModelWorkload[]): PredicateResult {
  return everyOne(lastingUses(workloads), {
    expected: 'a change of the configuration reaches the pods',
    what: 'uses of rendered configuration',
    title: ({ workload }) => workload.title,
    wrong: ({ workload, use }) => {
      const { kind, name, container, object } = use;
      if (use.use === 'volume' || !object || hasNewName(object) || isReplaced(workload, object))
        return undefined;
      return `keeps the old ${kind} ${name} after a change: container ${container} reads it ${HOW[use.use]}, and the pod template has no checksum of it`;
    },
  });
}

interface LastingUse {
  workload: ModelWorkload;
  use: UsedConfiguration;
}

/** Rendered configuration of containers that keep running: an init container has ended before it can change. */
export function lastingUses(workloads: readonly ModelWorkload[]): LastingUse[] {
  return workloads.flatMap((workload) => {
    const running = allContainers(workload.template.spec).filter(({ role }) => role !== 'init');
    const names = new Set(running.map(({ container }) => container.name));
    return workload.configuration
      .filter(({ object, container }) => object !== undefined && names.has(container))
      .map((use) => ({ workload, use }));
  });
}

const HOW: Readonly<Record<UsedConfiguration['use'], string>> = {
  volume: 'from a directory',
  'sub-path': 'by subPath, which is never updated',
  environment: 'into its environment, once',
};

/** A change needs another object: the name contains a hash, as kustomize makes it, or the object is immutable. */
export function hasNewName({ metadata, immutable }: KubeObject & { immutable?: unknown }): boolean {
  return immutable === true || /-(?=[a-z]*\d)[bcdfghkmt2456789]{10}$/.test(metadata.name);
}

/** Keys of Reloader and Wave, controllers that replace the pods when the configuration changes. */
const RELOADING = /reloader\.stakater\.com|wave\.pusher\.com/;
const HASH = /^(sha256:)?[0-9a-f]{8,}$/i;

/** Something replaces the pods when the configuration changes. */
function isReplaced(workload: ModelWorkload, configuration: KubeObject): boolean {
  return hasChecksum(workload) || isReloaded(workload, configuration);
}

/** Whether the pod template has something that looks like a checksum of configuration. */
export function hasChecksum({ template }: ModelWorkload): boolean {
  const { annotations = {}, labels = {} } = template.metadata;
  return [...Object.entries(annotations), ...Object.entries(labels)].some(
    ([key, value]: [string, unknown]) =>
      /checksum|hash|sha\d|md5/i.test(key) || (HASH.test(String(value)) && /\d/.test(String(value))),
  );
}

/** Whether a controller is asked to replace the pods when the configuration changes. */
export function isReloaded({ object, template }: ModelWorkload, configuration: KubeObject): boolean {
  const metadata = [template.metadata, object.metadata, configuration.metadata];
  return metadata.some(({ annotations = {} }) => Object.keys(annotations).some((key) => RELOADING.test(key)));
}
