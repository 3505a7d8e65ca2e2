/** Several releases of the chart on one cluster. */
import { hookEvents } from '../../../harness/kube/manifests/objects.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { modelOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import {
  canBeInTwoNamespaces,
  canShareNamespace,
} from '../../../harness/observe/predicates/rendered/two-releases.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import { needHelmChart } from '../subject-form.ts';

/** A name that no object of a chart contains by chance. */
const NAMESPACE = 'kp-two-releases';
const SECOND = 'second';

requirement(
  'X-30',
  'can be installed twice: in two namespaces, and in one namespace under two names',
  { release: 'none', releases: 2, disruptive: true, timeoutMs: 900_000, typicalMs: 90_000 },
  async ({ lab, subject, observe }) => {
    await needHelmChart(subject);
    const { objects } = await lab.render({ namespace: NAMESPACE });
    await expect(canBeInTwoNamespaces(modelOf(objects, { namespace: NAMESPACE }).existsOnce)).toHold();
    const second = await lab.render({ namespace: NAMESPACE, releaseName: SECOND });
    await expect(canShareNamespace(withoutHooks(objects), withoutHooks(second.objects))).toHold();
    // The shared release has the same name, in another namespace.
    const one = await lab.install();
    await lab.install({ namespace: one.namespace, releaseName: SECOND });
    await one.rolledOut();
    observe(`releases ${one.name} and ${SECOND} are ready in namespace ${one.namespace}`);
  },
);

/** Helm replaces hooks and tests, whatever release they belong to. */
function withoutHooks(objects: readonly KubeObject[]): KubeObject[] {
  return objects.filter((object) => hookEvents(object).length === 0);
}
