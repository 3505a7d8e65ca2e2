/** The subjects of a run: validated before anything is created, their images prepared. */
import type { Deployer } from '../../kube/deploy/deployer.ts';
import type { Rendered } from '../../kube/helm/types.ts';
import { planImages, prepareImages, type PreparedImage } from '../../host/images/plan-images.ts';
import type { ImageRecipe } from '../../host/images/types.ts';
import { imagesOf } from '../../kube/manifests/objects.ts';
import type { RunPlan } from '../plan/plan.ts';
import type { StepDeps } from './ports.ts';

/**
 * Renders every subject as the run will install it.
 *
 * @throws UsageError naming the file that is wrong, with a hint
 */
export async function validateSubjects(plan: RunPlan, deployer: Deployer): Promise<Map<string, Rendered>> {
  const rendered = new Map<string, Rendered>();
  for (const { definition, subject } of plan.suites) {
    const source = {
      chart: subject.chart,
      values: subject.values,
      set: subject.set,
      patches: subject.patches,
      releaseName: definition.subject.releaseName,
      namespace: 'default',
    };
    rendered.set(definition.name, await deployer.validateSubject(source));
  }
  return rendered;
}

/** Every image that the rendered manifests and the checks' own pods name, from where it can be had. */
export async function prepareSubjectImages(
  deps: StepDeps,
  plan: RunPlan,
  rendered: ReadonlyMap<string, Rendered>,
  probeImages: readonly ImageRecipe[],
): Promise<PreparedImage[]> {
  const recipes = [
    ...plan.suites.flatMap((s) => s.definition.subject.images.map((i) => i.recipe)),
    ...probeImages,
  ];
  const named = [...rendered.values()].flatMap((r) => imagesOf(r.objects));
  const always = plan.suites.flatMap(({ definition, subject }) =>
    definition.subject.images
      .filter((image) => image.always)
      .map(({ name, recipe }) => subject.images.find((i) => i.name === name)?.ref ?? recipe.ref),
  );
  const planned = planImages({
    rendered: named,
    recipes,
    always: [...always, ...probeImages.map((r) => r.ref)],
  });
  return prepareImages(planned, deps);
}

/** Images of what runs beside the cluster: the engine needs them, the nodes do not. */
export function prepareEnvironmentImages(deps: StepDeps, plan: RunPlan): Promise<PreparedImage[]> {
  const recipes = plan.suites.flatMap((s) => s.definition.environment?.images ?? []);
  return prepareImages(planImages({ rendered: [], recipes, always: recipes.map((r) => r.ref) }), deps);
}
