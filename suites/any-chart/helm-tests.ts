/** The tests of a chart (`helm test`), and what their pods say. */
import { logTail } from '../../harness/core/wording.ts';
import type { Pod } from '../../harness/kube/api/types.ts';
import type { ModelWorkload } from '../../harness/kube/manifests/model/model.ts';
import { field } from '../../harness/kube/manifests/objects.ts';
import { nothingWrong, type PredicateResult } from '../../harness/observe/predicates/result.ts';
import type { Recording } from '../../harness/observe/recorder/recording.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import { modelOfRelease, readWorkloads } from './live-workloads.ts';

/** For each test; helm's own default. */
const TEST_MS = 300_000;

/** Pods and Jobs that helm creates for a test only. */
export function testsOf(release: Release): ModelWorkload[] {
  return modelOfRelease(release).workloads.filter(({ course }) => course === 'test');
}

/** Runs the tests, with the last words of those that fail. */
export async function helmTestPasses(
  lab: Lab,
  release: Release,
  tests: readonly ModelWorkload[],
): Promise<PredicateResult> {
  const { name, namespace } = release;
  const failure = await lab.helm.test({ releaseName: name, namespace }, { timeoutMs: TEST_MS });
  const words = failure === undefined ? [] : await lastWords(release, tests);
  const complaints = failure === undefined ? [] : [[failure.replace(/\s+/g, ' '), ...words].join('; ')];
  return nothingWrong(`helm test ${name} passes`, complaints);
}

/** Pods of the tests that the recording has seen: those of Jobs, too, and gone ones. */
export function podsOfTests(recording: Pick<Recording, 'pods'>, tests: readonly ModelWorkload[]): Pod[] {
  const isOf = (name: string): boolean => tests.some(({ object }) => object.metadata.name === name);
  return recording
    .pods()
    .filter(
      ({ metadata }) =>
        ((metadata.annotations?.['helm.sh/hook'] ?? '').includes('test') && isOf(metadata.name)) ||
        (metadata.ownerReferences ?? []).some(({ kind, name }) => kind === 'Job' && isOf(name)),
    );
}

/** The ends of the logs of failed tests: helm's own words name only the pod. Helm may have deleted a pod: its log was read before. */
async function lastWords(release: Release, tests: readonly ModelWorkload[]): Promise<string[]> {
  const { kube, recording } = release;
  const live = (await readWorkloads(release, tests)).flatMap((test) => test.pods);
  const isLive = (pod: Pod): boolean => live.some(({ metadata }) => metadata.uid === pod.metadata.uid);
  const gone = podsOfTests(recording, tests).filter((pod) => !isLive(pod));
  const failed = [...live, ...gone].flatMap((pod) =>
    (pod.status?.containerStatuses ?? [])
      .filter(({ state }) => (field(state?.terminated, 'exitCode') ?? 0) !== 0)
      .map(({ name }) => ({ pod, name })),
  );
  return Promise.all(
    failed.map(async ({ pod, name }) => {
      const at = { namespace: pod.metadata.namespace ?? release.namespace, pod: pod.metadata.name };
      const log = isLive(pod) ? await kube.logs({ ...at, container: name, tailLines: 3 }) : undefined;
      const words = logTail(log ?? recording.logOf(at.pod, name));
      return `${at.pod}/${name} says: ${words ?? 'nothing, its log is gone'}`;
    }),
  );
}
