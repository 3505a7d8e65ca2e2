/** Which DaemonSet of a subject is the agent, and which container: those with the documented names, or those that do what is documented. */
import { CheckFailure } from '../../harness/core/errors.ts';
import type { Container, KubeObject, Pod, PodSpec } from '../../harness/kube/api/types.ts';
import type { ModelWorkload } from '../../harness/kube/manifests/model/model.ts';
import { playing } from '../../harness/kube/manifests/model/role.ts';
import { lasting, modelOf, namespaceOf } from '../../harness/kube/manifests/model/subject-model.ts';
import type { WorkloadHandle } from '../../harness/observe/matchers/workload-handle.ts';
import type { Release } from '../../harness/run/suite/release.ts';

/** The documented names. */
export const DOCUMENTED = { daemonSet: 'k8s-mcp-agent', container: 'agent' } as const;

type Rendered = Pick<Release, 'objects' | 'namespace'>;

interface Agent {
  workload: ModelWorkload;
  /** Its object, as rendered. */
  object: KubeObject;
  namespace: string;
  /** The container of the agent, as rendered. */
  container: Container;
}

/**
 * The agent in what was rendered.
 *
 * @throws CheckFailure `E_NOT_RENDERED` without a DaemonSet; DoesNotFit when it cannot be told, with the candidates
 */
export function agentIn(rendered: Rendered): Agent {
  const daemonSets = lasting(modelOf(rendered.objects, rendered)).filter(
    ({ object }) => object.kind === 'DaemonSet',
  );
  if (daemonSets.length === 0) throw new CheckFailure('E_NOT_RENDERED', 'the chart renders no DaemonSet');
  const workload = playing(daemonSets, {
    title: 'the agent',
    isDocumented: ({ object: { metadata } }) => metadata.name === DOCUMENTED.daemonSet,
    traits: [
      {
        says: 'asks for a RuntimeClass or claims a device',
        has: ({ template: { spec } }) => asksForGpus(spec),
      },
      { says: 'idles with stdin', has: ({ template }) => template.spec.containers.some(idlesWithInput) },
    ],
    nameOf: ({ title }) => title,
  });
  const { object, template } = workload;
  const namespace = namespaceOf(object, rendered);
  return { workload, object, namespace, container: agentContainerOf(template.spec, workload.title) };
}

/** The live DaemonSet of the agent. */
export function agentOf(release: Release): WorkloadHandle {
  return release.workload(agentIn(release).object);
}

/** The pods of the agent; none is a failure. */
export function agentPods(release: Release): Promise<Pod[]> {
  return agentOf(release).pods();
}

/**
 * The container of the agent in a pod.
 *
 * @throws DoesNotFit when it cannot be told
 */
export function agentContainerOf({ containers }: PodSpec, title: string): Container {
  return playing(containers, {
    title: `the agent in ${title}`,
    isDocumented: ({ name }) => name === DOCUMENTED.container,
    traits: [{ says: 'idles with stdin', has: idlesWithInput }],
    nameOf: ({ name }) => `container ${name}`,
  });
}

function asksForGpus(spec: PodSpec): boolean {
  return spec.runtimeClassName !== undefined || spec['resourceClaims'] !== undefined;
}

/** Sessions are started in it by `exec -i`. */
function idlesWithInput(container: Container): boolean {
  return container['stdin'] === true;
}
