/** Whether a check may install a release of its own beside the shared one. */
import { DoesNotFit } from '../../harness/core/errors.ts';
import { modelOf } from '../../harness/kube/manifests/model/subject-model.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';

/** A name that no object of a chart contains by chance. */
const NAMESPACE = 'kp-second-release';

/**
 * A run that knows of a subject that can exist only once ends the shared release before a check installs its own.
 *
 * @throws DoesNotFit when the subject can exist only once on a cluster, and the shared release stays
 */
export async function needSecondRelease(lab: Lab): Promise<void> {
  if (lab.makesRoom) return;
  const { objects } = await lab.render({ namespace: NAMESPACE });
  const [first, ...more] = modelOf(objects, { namespace: NAMESPACE }).existsOnce;
  if (!first) return;
  const others = more.length === 0 ? '' : `, and ${more.length} more objects are fixed`;
  throw new DoesNotFit(
    `the chart can be installed only once on a cluster: ${first.object} ${first.says}${others}`,
    {
      hint: 'Put the namespace of the release into the names of cluster-scoped objects, and name no namespace.',
    },
  );
}
