/** What the Services of a chart select, by the model of the subject. */
import { matchesLabels, selectorText } from '../../../kube/api/selectors.ts';
import type { Service } from '../../../kube/api/types.ts';
import type { ModelWorkload } from '../../../kube/manifests/model/model.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';

/**
 * A Service selects no pod of a Job, CronJob or hook: such a pod would get its traffic while it runs.
 *
 * @param workloads those whose pods the Service selects
 */
export function selectsServersOnly(service: Service, workloads: readonly ModelWorkload[]): PredicateResult {
  const { name } = service.metadata;
  const text = selectorText({ matchLabels: service.spec.selector });
  const wrong = workloads.filter(
    ({ course, hookEvents }) => course !== 'test' && !isServer(course, hookEvents),
  );
  return {
    ...nothingWrong(
      `Service ${name} (${text}) selects only pods that run without an end`,
      wrong.map(({ title, hookEvents }) => {
        const what = hookEvents.length > 0 ? `hook ${title}` : title;
        return `it also selects the pods of ${what}, which get its traffic while they run`;
      }),
    ),
    observed: [
      `Service ${name} selects ${workloads.map(({ title }) => title).join(', ') || 'no rendered pod'}`,
    ],
  };
}

/**
 * Which of several selected workloads a pod belongs to, and what would keep the Service off it: `of Deployment worker, which it selects
 * beside Deployment web; tier=worker tells them apart`. Empty when the Service selects one workload only.
 */
export function oneOfSeveral(selected: readonly ModelWorkload[], own: ModelWorkload): string {
  const others = selected.filter((workload) => workload !== own);
  if (others.length === 0) return '';
  const labels = Object.entries(own.template.metadata.labels ?? {}).filter(([key, value]) =>
    others.every(({ template }) => template.metadata.labels?.[key] !== value),
  );
  const apart = labels.length === 0 ? 'no label' : labels.map(([key, value]) => `${key}=${value}`).join(', ');
  return ` of ${own.title}, which it selects beside ${others.map(({ title }) => title).join(', ')}; ${apart} tells them apart`;
}

/** Tests whose pods get traffic of the Service while they run. Many charts have this; it matters only during `helm test`. */
export function selectedTests(service: Service, workloads: readonly ModelWorkload[]): string[] {
  return workloads
    .filter(
      ({ course, template }) =>
        course === 'test' && matchesLabels(service.spec.selector, template.metadata.labels),
    )
    .map(
      ({ title }) =>
        `Service ${service.metadata.name} also selects the test ${title}, which gets its traffic while it runs`,
    );
}

function isServer(course: ModelWorkload['course'], hookEvents: readonly string[]): boolean {
  return course === 'long-running' && hookEvents.length === 0;
}
