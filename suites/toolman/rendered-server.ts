/** The server among rendered objects. */
import { CheckFailure, DoesNotFit } from '../../harness/core/errors.ts';
import type { Container, KubeObject, PodSpec } from '../../harness/kube/api/types.ts';
import { ofKind, podSpecOf } from '../../harness/kube/manifests/objects.ts';

const NAME = 'toolman';

/**
 * The Deployment with the documented name, or the only one.
 *
 * @throws CheckFailure without a Deployment; DoesNotFit when there are several and none has the name
 */
export function serverOf(objects: readonly KubeObject[]): KubeObject {
  const deployments = ofKind(objects, 'Deployment');
  const [first, ...others] = deployments;
  if (!first) throw new CheckFailure('E_NOT_RENDERED', 'the chart renders no Deployment');
  const named = deployments.find(({ metadata }) => metadata.name === NAME);
  if (named) return named;
  if (others.length > 0)
    throw new DoesNotFit(`the chart renders ${deployments.length} Deployments, and none is named ${NAME}`);
  return first;
}

/** Its pod spec. */
export function serverSpec(objects: readonly KubeObject[]): PodSpec {
  const spec = podSpecOf(serverOf(objects));
  if (spec) return spec;
  throw new CheckFailure('E_NOT_RENDERED', 'the Deployment of the server has no pod template');
}

/** The container with the documented name, or the first one: sidecars come after it. */
export function mainOf({ containers }: PodSpec): Container {
  const main = containers.find(({ name }) => name === NAME) ?? containers[0];
  if (main) return main;
  throw new CheckFailure('E_NOT_RENDERED', 'the pod of the server has no container');
}
