/** What a release leaves behind. */
import { modelOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { podTemplateOf } from '../../../harness/kube/manifests/objects.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { asAdvice } from '../../../harness/run/suite/advice.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import { requirement } from '../kit.ts';
import { isHelmChart } from '../subject-form.ts';
import { holdingOf, removeAtEnd, uninstalled } from '../uninstalled.ts';

requirement(
  'X-06',
  'leaves nothing on the cluster when it is uninstalled, and can be installed again under its name',
  { release: 'none', disruptive: true, timeoutMs: 900_000 },
  async ({ lab, kube, cluster, subject, observe, note }) => {
    const home = await lab.namespace();
    // What the cluster puts into every namespace, it puts into this one, too.
    const controlNamespace = await lab.namespace();
    await lab.environment(home);
    const { objects: rendered } = await lab.render({ namespace: home });
    const own = await ownNamespaces(lab, home, rendered);
    const { objects: before, unreadable } = await holdingOf(kube, own);
    const rollout = rendered.some((object) => podTemplateOf(object) !== undefined);
    const release = await lab.install({ namespace: home, rollout, early: true });
    await lab.uninstall(release);

    const { workloads } = modelOf(release.objects, release);
    const graces = workloads.map(({ template }) => template.spec.terminationGracePeriodSeconds ?? 30);
    const definitions = (await isHelmChart(subject)) ? await lab.helm.definitions(subject.chart) : [];
    const left = await uninstalled(
      kube,
      { release, own, rendered: release.objects, definitions, before, controlNamespace },
      { graceSeconds: Math.max(0, ...graces), isAlone: cluster.provider === 'kind' },
    );
    removeAtEnd(lab, own, left);
    left.meant.forEach(({ says }) => note(says));
    if (unreadable.length > 0) observe(`may not be listed, and was not looked at: ${unreadable.join(', ')}`);
    await expect(nothingWrong('nothing is left of the release', saying(left.broken))).toHold();

    await lab.install({ namespace: home, rollout: false });
    observe(`release ${release.name} was installed again in namespace ${home}`);
    await asAdvice('helm removes only what the release consists of', () =>
      expect(nothingWrong('nothing is left of the release', saying(left.advisable))).toHold(),
    );
  },
);

function saying(left: readonly { says: string }[]): string[] {
  return left.map(({ says }) => says);
}

/** The namespace of the release, and those that its objects name and nobody else has. */
async function ownNamespaces(
  { kube }: Lab,
  home: string,
  rendered: Awaited<ReturnType<Lab['render']>>['objects'],
): Promise<string[]> {
  const named = new Set(rendered.flatMap(({ metadata }) => metadata.namespace ?? []));
  named.delete(home);
  const found = await Promise.all(
    [...named].map(async (name) => ((await kube.get('Namespace', { name })) ? [] : [name])),
  );
  return [home, ...found.flat()];
}
