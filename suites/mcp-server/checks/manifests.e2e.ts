/** What the chart contains, and what it renders by itself and for the environments. Nothing is created. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { DoesNotFit, NameMissing } from '../../../harness/core/errors.ts';
import { field, nameOf, ofKind } from '../../../harness/kube/manifests/objects.ts';
import { credentialsAreInSecrets } from '../../../harness/observe/predicates/rendered/credentials.ts';
import { listenersHaveProbes } from '../../../harness/observe/predicates/rendered/probes.ts';
import {
  everyContainerHasResources,
  resourcesAre,
} from '../../../harness/observe/predicates/rendered/resources.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { inShape } from '../../../harness/run/suite/shape.ts';
import { validate } from '../../any-chart/dry-run.ts';
import { admittedLevel } from '../../any-chart/pod-security.ts';
import { isHelmChart, needHelmChart } from '../../any-chart/subject-form.ts';
import { ENVIRONMENTS, environmentFiles } from '../environments.ts';
import { requirement } from '../kit.ts';
import { needMcp, onlyService, portOf, renderServer, NAMESPACE, variablesOf } from '../server.ts';

const STATIC = { release: 'none', static: true } as const;
/** Names of variables that hold credentials. */
const CREDENTIAL = /(TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|CREDENTIALS?)$/i;
const LAYOUT = [
  'README.md',
  'values.yaml',
  'templates/_helpers.tpl',
  'templates/deployment.yaml',
  'templates/service.yaml',
  'templates/configmap.yaml',
  'templates/tests/test-connection.yaml',
];

requirement(
  'M-10',
  'has the documented files',
  { ...STATIC, names: true },
  async ({ lab, subject, observe }) => {
    await needHelmChart(subject);
    if ((await lab.document('Chart.yaml')) === undefined)
      throw new DoesNotFit('the chart is a package, whose files are not read');
    const found = await Promise.all(
      LAYOUT.map(async (file) => ((await lab.document(file)) === undefined ? file : '')),
    );
    const missing = found.filter((file) => file !== '');
    if (missing.length > 0) throw new NameMissing(`the chart has no ${missing.join(', ')}`);
    expect(missing, 'files that the chart lacks').toEqual([]);
    observe(LAYOUT.join(', '));
  },
);

const dependencies = z.looseObject({
  dependencies: z.array(z.looseObject({ name: z.string(), version: z.string() })).default([]),
});

requirement('M-54', 'needs no network for its dependencies', STATIC, async ({ lab, subject, observe }) => {
  await needHelmChart(subject);
  const text = await lab.document('Chart.yaml');
  if (text === undefined) throw new DoesNotFit('the chart is a package, whose files are not read');
  const wanted = inShape(dependencies, parse(text), 'Chart.yaml').dependencies;
  const vendored = await readdir(join(subject.chart, 'charts')).catch((): string[] => []);
  const missing = wanted
    .filter(({ name }) => !vendored.some((file) => file === name || file.startsWith(`${name}-`)))
    .map(
      ({ name, version }) =>
        `dependency ${name} ${version} is not in the folder charts, so an install has to download it`,
    );
  await expect(nothingWrong('every dependency is part of the chart', missing)).toHold();
  observe(
    wanted.length === 0 ? 'it has no dependencies' : `vendored: ${wanted.map(({ name }) => name).join(', ')}`,
  );
});

/** The defaults of the documents. */
const DEFAULTS = {
  image: { repository: 'mcp-server', tag: 'latest', pullPolicy: 'IfNotPresent' },
  replicaCount: 1,
  service: { type: 'ClusterIP', port: 8080 },
  resources: {
    requests: { cpu: '100m', memory: '128Mi' },
    limits: { cpu: '500m', memory: '512Mi' },
  },
  env: {},
  envFrom: [],
  volumes: [],
  volumeMounts: [],
};

requirement(
  'M-73',
  'has the documented default values, and renders what they say',
  { ...STATIC, names: true },
  async ({ lab, subject }) => {
    await needHelmChart(subject);
    const text = await lab.document('values.yaml');
    if (text === undefined) throw new DoesNotFit('the chart is a package, whose files are not read');
    const values = (parse(text) ?? {}) as Record<string, unknown>;
    const lacking = Object.keys(DEFAULTS).filter((name) => !(name in values));
    if (lacking.length > 0) throw new NameMissing(`the chart has no value ${lacking.join(', ')}`);
    expect(values, 'default values').toMatchObject(DEFAULTS);
    const { model, container } = await renderServer(lab, { onlyChart: true });
    expect(container.image, 'image by default').toBe('mcp-server:latest');
    expect(container.imagePullPolicy, 'imagePullPolicy by default').toBe('IfNotPresent');
    expect(model.replicas?.least, 'replicas by default').toBe(1);
    const service = onlyService(model);
    expect(service.spec.type ?? 'ClusterIP', 'type of the Service by default').toBe('ClusterIP');
    expect(portOf(service).port, 'port of the Service by default').toBe(8080);
    await expect(resourcesAre(model.object, container.name, DEFAULTS.resources)).toHold();
  },
);

requirement('M-07', 'has requests and limits of every container', STATIC, async ({ lab }) => {
  for (const options of [{ onlyChart: true }, {}]) {
    const { objects } = await lab.render({ ...options, namespace: NAMESPACE });
    await expect(everyContainerHasResources(objects)).toHold();
  }
});

requirement('M-08', 'probes every server that listens', STATIC, async ({ lab }) => {
  const { model, container } = await renderServer(lab);
  if ((container.ports ?? []).length === 0) throw new DoesNotFit(`${model.title} has no port`);
  // Not a sidecar beside it, whose port may be one of metrics.
  const alone = { ...model.template, spec: { containers: [container] } };
  await expect(listenersHaveProbes([{ ...model.object, spec: { template: alone } }])).toHold();
});

requirement(
  ['M-09', 'M-43'],
  'takes every credential from a Secret, and has it nowhere else',
  STATIC,
  async ({ lab, observe }) => {
    const { objects, container } = await renderServer(lab);
    const names = variablesOf(container)
      .map(({ name }) => name)
      .filter((name) => CREDENTIAL.test(name));
    if (names.length === 0) throw new DoesNotFit('the server has no variable with the name of a credential');
    await expect(credentialsAreInSecrets(objects, names)).toHold();
    observe(names.join(', '));
  },
);

requirement(
  'M-78',
  'is admitted under the Pod Security Standard restricted',
  { ...STATIC, needs: ['pod-security-admission'] },
  async ({ lab, kube, observe }) => {
    const { model } = await renderServer(lab);
    needMcp(model);
    const { level, stricter } = await admittedLevel(kube, [model], (labels) => lab.namespace(labels));
    await expect(nothingWrong('the pods of the server are admitted under restricted', stricter)).toHold();
    const byDefault = await renderServer(lab, { onlyChart: true });
    const own = await admittedLevel(kube, [byDefault.model], (labels) => lab.namespace(labels));
    observe(`with its values: ${level}; by default: ${own.level}`);
  },
);

requirement(
  'M-20',
  'renders for development, staging and production, each with as many replicas as the one before or more',
  STATIC,
  async ({ lab, kube, subject, observe }) => {
    if (!(await isHelmChart(subject))) throw new DoesNotFit('plain manifests have no values');
    const files = await environmentFiles(subject.chart);
    const namespace = await lab.namespace();
    const rendered = await Promise.all(
      ENVIRONMENTS.map(async (name) => ({
        name,
        ...(await renderServer(lab, { onlyChart: true, values: [files[name]], namespace })),
      })),
    );
    const complaints: string[] = [];
    for (const { name, objects } of rendered) {
      const { refusals, unknown } = await validate(kube, objects, namespace);
      complaints.push(...refusals.map((refusal) => `with the values for ${name}: ${refusal}`));
      if (unknown.length > 0)
        observe(`${name}: not validated, the server lacks their kinds: ${unknown.join(', ')}`);
    }
    await expect(nothingWrong('the API server accepts what each environment renders', complaints)).toHold();
    if (rendered.some(({ model }) => model.replicas === undefined))
      throw new DoesNotFit('the manifests of the server state no number of replicas');
    const least = rendered.map(({ model }) => model.replicas?.least ?? 0);
    for (const [at, { name, objects, model }] of rendered.entries()) {
      expect(least[at], `least replicas for ${name}`).toBeGreaterThanOrEqual(least[at - 1] ?? 0);
      const [first] = rendered;
      expect(field(model.object['spec'], 'selector'), `selector for ${name}`).toEqual(
        field(first?.model.object['spec'], 'selector'),
      );
      expect(ofKind(objects, 'Service').map(nameOf), `Services for ${name}`).toEqual(
        ofKind(first?.objects ?? [], 'Service').map(nameOf),
      );
      observe(`${name}: ${objects.length} objects, ${least[at] ?? 0} replicas at least`);
    }
  },
);
