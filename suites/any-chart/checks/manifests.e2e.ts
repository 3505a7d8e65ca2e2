/** What the rendered manifests and dry-runs of the API server show, without creating anything. */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { canonicalImageRef } from '../../../harness/kube/manifests/image-reference.ts';
import { DoesNotFit } from '../../../harness/core/errors.ts';
import { firstLine } from '../../../harness/core/wording.ts';
import { copyWithNextVersion } from '../../../harness/kube/helm/next-version.ts';
import { isCoreApi } from '../../../harness/kube/manifests/core-api.ts';
import { hookEvents, nameOf } from '../../../harness/kube/manifests/objects.ts';
import { lasting, modelOf, namespaceOf } from '../../../harness/kube/manifests/model/subject-model.ts';
import { checkReferences } from '../../../harness/kube/manifests/references.ts';
import { deprecatedApis } from '../../../harness/observe/predicates/rendered/api-versions.ts';
import { imagesArePinned, pullsInVain } from '../../../harness/observe/predicates/rendered/images.ts';
import {
  changingPodLabels,
  haveImmutableFields,
  nothingImmutableChanges,
} from '../../../harness/observe/predicates/rendered/immutable.ts';
import { referencesResolve } from '../../../harness/observe/predicates/rendered/references.ts';
import { quotaHasRoom, surgeOf } from '../../../harness/observe/predicates/rendered/quota-headroom.ts';
import { rightsAreFew } from '../../../harness/observe/predicates/rendered/rights.ts';
import {
  configurationFollows,
  lastingUses,
} from '../../../harness/observe/predicates/rendered/stale-configuration.ts';
import { namesAreUnique } from '../../../harness/observe/predicates/rendered/unique-names.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { namespaced, validate } from '../dry-run.ts';
import { requirement } from '../kit.ts';
import { admittedLevel } from '../pod-security.ts';
import { isHelmChart, needHelmChart, valuesOfAuthors } from '../subject-form.ts';

/** For checks that read what is rendered; their messages show the namespace. */
const NAMESPACE = 'default';
const ROLE = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' };

requirement(
  'X-11',
  'lints, renders with all values of its authors, and is valid to the API server',
  { release: 'none', static: true },
  async ({ lab, kube, subject, observe }) => {
    const isChart = await isHelmChart(subject);
    if (isChart) {
      const { messages } = await lab.helm.lint(lab.source());
      const errors = messages.filter(({ severity }) => severity === 'error');
      await expect(
        nothingWrong(
          'helm lint finds no error',
          errors.map(({ path, text }) => `${path}: ${text}`),
        ),
      ).toHold();
      for (const { severity, path, text } of messages)
        if (severity === 'warning') observe(`helm lint warns: ${path}: ${text}`);
    }
    const namespace = await lab.namespace();
    const variants: Record<string, string[]> = { 'the values of the run': [] };
    for (const file of isChart ? await valuesOfAuthors(subject) : [])
      variants[`ci/${basename(file)}`] = [file];
    for (const [variant, values] of Object.entries(variants)) {
      const refusal = await lab.refusal({ values, namespace });
      const complaints = refusal ? [firstLine(refusal.message)] : [];
      await expect(nothingWrong(`the chart renders with ${variant}`, complaints)).toHold();
      const { objects } = await lab.render({ values, namespace });
      await expect(namesAreUnique(objects)).toHold();
      const { validated, unknown, refusals } = await validate(kube, objects, namespace);
      await expect(nothingWrong(`the API server accepts what ${variant} render`, refusals)).toHold();
      observe(`${variant}: ${validated} objects accepted by a strict dry-run`);
      if (unknown.length > 0)
        observe(`${variant}: not validated, the server lacks their kinds: ${unknown.join(', ')}`);
    }
  },
);

requirement(
  'X-12',
  'uses only APIs that the cluster serves',
  { release: 'none', static: true },
  async ({ lab, kube, subject, observe }) => {
    const { objects } = await lab.render({ namespace: NAMESPACE });
    const definitions = [
      ...objects
        .filter(({ kind }) => kind === 'CustomResourceDefinition')
        .map(({ metadata }) => metadata.name),
      ...((await isHelmChart(subject)) ? await lab.helm.definitions(subject.chart) : []),
    ];
    const complaints: string[] = [];
    for (const object of objects) {
      if ((await namespaced(kube, object)) !== undefined) continue;
      const group = object.apiVersion.split('/')[0] ?? '';
      if (definitions.some((name) => name.endsWith(`.${group}`))) continue;
      const lacks = `${nameOf(object)} is of ${object.apiVersion}, which the cluster does not serve`;
      // The operator that brings another API is no part of the chart, and may be missing on this cluster only.
      if (isCoreApi(object.apiVersion)) complaints.push(lacks);
      else observe(`${lacks}: the chart relies on an operator`);
    }
    expect(objects.length, 'rendered objects').toBeGreaterThan(0);
    const version = await kube.version();
    await expect(nothingWrong(`Kubernetes ${version} serves the API of every object`, complaints)).toHold();
    for (const line of deprecatedApis(objects, version)) observe(line);
    observe(`${objects.length} objects on Kubernetes ${version}`);
  },
);

requirement('X-02', 'refers only to objects that exist', { static: true }, async ({ release, kube }) => {
  const report = await checkReferences(release.objects, (kind, name, from) =>
    kube.get(kind === 'Role' ? ROLE : kind, { name, namespace: namespaceOf(from, release) }),
  );
  if (report.checked === 0) throw new DoesNotFit('no rendered object refers to another one');
  await expect(referencesResolve(report)).toHold();
});

requirement(
  'X-29',
  'asks for no more rights than its workloads are likely to use',
  { release: 'none', static: true },
  async ({ lab }) => {
    const { objects } = await lab.render({ namespace: NAMESPACE });
    const workloads = modelOf(objects, { namespace: NAMESPACE }).workloads.filter(
      ({ course }) => course !== 'test',
    );
    if (workloads.length === 0) throw new DoesNotFit('the chart renders nothing that runs pods');
    await expect(rightsAreFew(workloads, objects)).toHold();
  },
);

requirement(
  'X-31',
  'changes no immutable field with its next version',
  { release: 'none', static: true },
  async ({ lab, subject, observe }) => {
    await needHelmChart(subject);
    const { objects } = await lab.render({ namespace: NAMESPACE });
    const lastingObjects = objects.filter((object) => hookEvents(object).length === 0);
    if (!haveImmutableFields(lastingObjects))
      throw new DoesNotFit('the chart renders no object with an immutable field');
    const source = lab.source({ namespace: NAMESPACE });
    // Beside the log, in a folder of this check: a proof runs at the same time as others.
    const folder = join(
      lab.runDirectory,
      '.next-version',
      `${Date.now()}-${Math.random().toString(36).slice(2)}`,
    );
    lab.defer('remove the copy of the chart', () => rm(folder, { recursive: true, force: true }));
    const { chart, version } = await copyWithNextVersion(subject.chart, folder);
    const next = await lab.helm.render({ ...source, chart });
    await expect(nothingImmutableChanges(lastingObjects, next.objects)).toHold();
    observe(`compared with version ${version}`);
    for (const line of changingPodLabels(lastingObjects, next.objects))
      observe(`${line} changes with nothing but the version: each upgrade restarts the pods`);
  },
);

requirement(
  'X-32',
  'is admitted under the Pod Security Standard restricted',
  { release: 'none', static: true, needs: ['pod-security-admission'] },
  async ({ lab, kube, observe }) => {
    const { objects } = await lab.render({ namespace: NAMESPACE });
    const { workloads } = modelOf(objects, { namespace: NAMESPACE });
    if (workloads.length === 0) throw new DoesNotFit('the chart renders nothing that runs pods');
    const { level, stricter } = await admittedLevel(kube, workloads, (labels) => lab.namespace(labels));
    observe(`the strictest level that admits all pods is ${level}`);
    await expect(nothingWrong('all pods are admitted under restricted', stricter)).toHold();
  },
);

requirement(
  'X-35',
  'names a fixed tag of every image, and does not pull what the nodes have',
  { release: 'none', static: true },
  async ({ lab, cluster }) => {
    const { objects } = await lab.render({ namespace: NAMESPACE });
    if (modelOf(objects, { namespace: NAMESPACE }).workloads.length === 0)
      throw new DoesNotFit('the chart renders nothing that runs pods');
    await expect(imagesArePinned(objects)).toHold();
    const onNodes = new Set([...(await cluster.imagesOnNodes()).values()].flatMap((images) => [...images]));
    await expect(
      pullsInVain(objects, (image) => onNodes.has(image) || onNodes.has(canonicalImageRef(image))),
    ).toHold();
  },
);

requirement(
  'X-36',
  'has room in its own quota for an update',
  { release: 'none', static: true },
  async ({ lab, observe }) => {
    const { objects } = await lab.render({ namespace: NAMESPACE });
    const workloads = lasting(modelOf(objects, { namespace: NAMESPACE }));
    const updated = workloads.filter((workload) => workload.object.kind === 'Deployment');
    if (updated.length === 0) throw new DoesNotFit('the chart renders no Deployment');
    await expect(quotaHasRoom(workloads, objects)).toHold();
    for (const workload of updated)
      observe(`${workload.title}: an update starts ${surgeOf(workload)} pods beyond its replicas`);
  },
);

requirement(
  'X-37',
  'keeps no old configuration in its pods after a change',
  { release: 'none', static: true },
  async ({ lab }) => {
    const { objects } = await lab.render({ namespace: NAMESPACE });
    const workloads = lasting(modelOf(objects, { namespace: NAMESPACE }));
    if (lastingUses(workloads).length === 0)
      throw new DoesNotFit('no workload of the chart reads a ConfigMap or Secret of the chart');
    await expect(configurationFollows(workloads)).toHold();
  },
);
