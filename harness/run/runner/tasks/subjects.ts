import { rm } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { UsageError } from '../../../core/errors.ts';
import { makePrivateFolder } from '../../../core/private-files.ts';
import { count } from '../../../core/wording.ts';
import { secretsIn } from '../../../kube/api/secret-values.ts';
import { readPrerequisites, refuseRendered } from '../../../kube/manifests/prerequisites.ts';
import { onceBeside } from '../../../kube/manifests/model/exists-once.ts';
import { createDeployer, isManifestFolder } from '../../../kube/deploy/deployer.ts';
import { createManifestDeployer } from '../../../kube/deploy/manifest-deployer.ts';
import { createHelm } from '../../../kube/helm/helm.ts';
import type { ExistsOnce } from '../../../kube/manifests/model/model.ts';
import { copyWithVersion } from '../../../kube/helm/next-version.ts';
import { isPublished, type PublishedChart } from '../../../kube/helm/published-chart.ts';
import { stageSubject } from '../../../kube/helm/stage-subject.ts';
import type { Deployer } from '../../../kube/deploy/deployer.ts';
import type { ChartSource, Helm } from '../../../kube/helm/types.ts';
import { fileDigest } from '../../../kube/helm/subject-digest.ts';
import type { Report } from '../../report/model.ts';
import type { SuitePlan } from '../../plan/plan.ts';
import type { SuiteDefinition } from '../../suite/definition.ts';
import type { PreviousSubject, SubjectConfig } from '../../suite/worker-config.ts';
import type { Task } from '../task.ts';
import { previousKey, subjectKey, type TestRun } from '../test-run.ts';

/** Of the rendered objects that a run knows before it installs anything. */
export const RENDER_NAMESPACE = 'default';

/** A name that no object of a chart contains by chance. */
const OTHER_NAMESPACE = 'kp-another-release';

/**
 * Copies every subject, and renders the copies as the run will install them. From here on the run uses only the copies: their digests are
 * those of what is tested, whatever happens to the files of the user meanwhile.
 *
 * @throws UsageError naming the file that is wrong, with a hint
 */
export const subjects: Task = {
  title: 'subject',
  async setup(run, { command, log, signal }) {
    const workDir = helmDirectory(run);
    await makePrivateFolder(workDir);
    const kubeVersion = await run.provider.kubernetesVersion();
    const helm = createHelm({
      run: command,
      helmPath: run.tools.helm,
      workDir,
      capabilities: () => ({ kubeVersion }),
      log,
      signal,
      clock: run.clock,
    });
    const deployer = createDeployer(helm, createManifestDeployer({ signal }));
    const suites: SuitePlan[] = [];
    for (const suite of run.plan.suites) {
      const about = { run, definition: suite.definition, helm, deployer };
      const subject = await prepared(suite.subject, about);
      const references: Record<string, SubjectConfig> = {};
      for (const [name, reference] of Object.entries(suite.references)) {
        references[name] = await prepared(reference, { ...about, further: name });
      }
      suites.push({ ...suite, subject, references });
    }
    run.plan = { ...run.plan, suites };
  },
  // Values, also rendered ones, may contain secrets of the user and of the environment.
  async teardown(run) {
    for (const folder of [helmDirectory(run), stagingDirectory(run)]) {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function warnOfOnce(run: TestRun, { object, says }: ExistsOnce, others: number): void {
  const more =
    others === 0 ? '' : `, and ${count(others, 'more object')} ${others === 1 ? 'is' : 'are'} fixed`;
  run.warn(
    `the chart can exist only once on a cluster: ${object} ${says}${more}`,
    'Its releases are tested one after the other, which takes longer.',
  );
}

interface About {
  run: TestRun;
  definition: SuiteDefinition;
  helm: Helm;
  deployer: Deployer;
  /** Name of the further reference that faults are injected into. */
  further?: string;
}

/** Copies, renders and reports a subject; returns it with the paths of the copies. */
async function prepared(subject: SubjectConfig, about: About): Promise<SubjectConfig> {
  const { run, definition, helm, deployer, further } = about;
  const key = subjectKey(definition, further);
  // Not within that of the suite, where a reference called `chart` would be in the way.
  const folder = join(stagingDirectory(run), key.replace('/', '.'));
  const pulled = isPublished(subject.chart)
    ? await helm.pull(subject.chart, subject.chartVersion, join(folder, 'pulled'))
    : undefined;
  const staged = await stageSubject(subject, folder, pulled);
  if (pulled && subject.chartVersion !== pulled.published.version) warnOfVersion(run, pulled.published);
  const { chart, values, prerequisites, digest } = staged;
  warnOfLinks(run, subject.chart, digest.chart.outside);
  const source = {
    chart,
    values,
    set: subject.set,
    patches: subject.patches,
    releaseName: definition.subject.releaseName,
    namespace: RENDER_NAMESPACE,
  };
  const rendered = await deployer.validateSubject(source).catch((error: unknown) => {
    throw staged.inOwnPaths(error);
  });
  const expected = await readPrerequisites(prerequisites);
  refuseRendered(expected, rendered.objects, source);
  run.redactor.learn(secretsIn([...rendered.objects, ...expected]));
  run.rendered.set(key, rendered);
  run.prerequisites.push(...expected);
  const elsewhere = { ...source, namespace: OTHER_NAMESPACE };
  const [first, ...others] = await onceBeside(rendered.objects, source, async () => ({
    ...elsewhere,
    objects: (await deployer.render(elsewhere)).objects,
  }));
  if (first) warnOfOnce(run, first, others.length);
  const { referenceName } = subject;
  const previous =
    subject.previous && (await preparedPrevious(subject.previous, { ...source, key, folder }, about));
  const platform = await platformOf(subject, { run, definition });
  run.report.subjects.push({
    suite: definition.name,
    ...(platform && { platform }),
    ...(referenceName !== undefined && { reference: referenceName }),
    chart: withinProject(run.project.root, subject.chart),
    values: subject.values.map((file) => withinProject(run.project.root, file)),
    ...(subject.prerequisites && {
      prerequisites: subject.prerequisites.map((file) => withinProject(run.project.root, file)),
    }),
    images: [],
    digest,
    ...(previous && { previous: previous.reported }),
  });
  return {
    ...subject,
    chart,
    values,
    ...(prerequisites.length > 0 && { prerequisites }),
    ...(previous && { previous: previous.staged }),
    ...(subject.platform !== undefined && { platform: resolve(subject.platform) }),
    ...(first && { once: true }),
  };
}

/**
 * Copies and renders the version before a subject.
 *
 * @param beside the copy of the subject, its key and its folder
 */
async function preparedPrevious(
  previous: PreviousSubject,
  beside: ChartSource & { key: string; folder: string },
  { run, helm, deployer }: About,
): Promise<{ staged: PreviousSubject; reported: Report['subjects'][number]['previous'] }> {
  const { copiedAs, ...source } = previous;
  const folder = join(beside.folder, 'previous');
  const pulled = isPublished(source.chart)
    ? await helm.pull(source.chart, source.chartVersion, join(folder, 'pulled'))
    : undefined;
  const earlier =
    copiedAs === undefined
      ? source.chart
      : await copyWithVersion(beside.chart, join(folder, 'copy'), copiedAs);
  const staged = await stageSubject({ ...source, chart: earlier }, folder, pulled);
  const { chart, values, digest } = staged;
  if ((await isManifestFolder(chart)) !== (await isManifestFolder(beside.chart))) {
    throw new UsageError('E_OPTION', `--previous ${source.chart} is not of the form of the subject`, {
      hint: 'Both have to be charts, or both folders with plain manifests: one cannot be upgraded to the other.',
    });
  }
  const { releaseName, namespace } = beside;
  // Without lint: it is released already.
  const rendered = await deployer
    .render({ ...source, chart, values, releaseName, namespace })
    .catch((error: unknown) => {
      throw ofPrevious(staged.inOwnPaths(error));
    });
  run.redactor.learn(secretsIn(rendered.objects));
  run.rendered.set(previousKey(beside.key), rendered);
  return {
    staged: { ...previous, chart, values },
    reported: {
      chart: withinProject(run.project.root, source.chart),
      ...(copiedAs !== undefined && { version: copiedAs }),
      values: source.values.map((file) => withinProject(run.project.root, file)),
      digest,
    },
  };
}

function ofPrevious(error: unknown): unknown {
  if (!(error instanceof UsageError)) return error;
  return new UsageError(error.code, `the version before cannot be used: ${error.message}`, {
    cause: error,
    hint: error.hint ?? 'If it has other values than the subject, give them with --previous-values.',
  });
}

/** Not copied: its programs may need whatever lies around them. Their digests say what was tested. */
async function platformOf(
  { platform: file }: SubjectConfig,
  { run, definition }: Pick<About, 'run' | 'definition'>,
): Promise<Report['subjects'][number]['platform']> {
  if (file === undefined || !definition.platform) return undefined;
  const { name, files } = await definition.platform.validate(file);
  const digests = await Promise.all(
    files.map(async (path) => ({
      path: withinProject(run.project.root, path),
      sha256: await fileDigest(path),
    })),
  );
  return { name, file: withinProject(run.project.root, file), files: digests };
}

/** Another run may test another version. */
function warnOfVersion(run: TestRun, { reference, version, digest }: PublishedChart): void {
  run.warn(
    `chart ${reference}: testing version ${version} (${digest})`,
    `Name it to test the same again: --chart-version ${version}`,
  );
}

/** Their content may change without a change of the chart. */
function warnOfLinks(run: TestRun, chart: string, outside: readonly string[]): void {
  const [first] = outside;
  if (first === undefined) return;
  run.warn(
    `${count(outside.length, 'file')} of chart ${chart} came through links from outside of it, first ${first}`,
    'The run tests what the links lead to now. The digests in report.json name all of these files.',
  );
}

function helmDirectory({ directory }: TestRun): string {
  return join(directory, '.helm');
}

function stagingDirectory({ directory }: TestRun): string {
  return join(directory, '.subject');
}

/** Files of the project by their path in it; a user's own as they were given. */
function withinProject(root: string, path: string): string {
  const inside = relative(root, path);
  return isAbsolute(path) && !inside.startsWith('..') ? inside : path;
}
