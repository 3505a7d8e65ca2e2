/** The documented values reach the rendered objects, and bad ones are refused. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { field, find, nameOf, podTemplateOf } from '../../../harness/kube/manifests/objects.ts';
import { autoscalersCanScale } from '../../../harness/observe/predicates/rendered/autoscaling.ts';
import { resourcesAre } from '../../../harness/observe/predicates/rendered/resources.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { validate } from '../../any-chart/dry-run.ts';
import { requirement } from '../kit.ts';
import { wrongName } from '../names.ts';
import { onlyService, portOf, renderServer, targetOf, variablesOf } from '../server.ts';

const STATIC = { release: 'none', static: true } as const;
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const TOKEN = 'another-token-of-nobody';
/** The documented entry of a registry: a token that is not written into the entry, but read from another value. */
const WITH_TOKEN = ['env.GITHUB_TOKEN=\\{\\{.Values.github.token\\}\\}', `github.token=${TOKEN}`];

requirement(
  'M-11',
  'runs the image of its values: registry with port, tag, digest and pull policy',
  STATIC,
  async ({ lab, observe }) => {
    const repository = 'registry.example.org:5000/team/server';
    const set = [`image.repository=${repository}`, 'image.tag=1.2.3', 'image.pullPolicy=Always'];
    const { container } = await renderServer(lab, { set });
    expect(container.image, 'image with a registry that has a port').toBe(`${repository}:1.2.3`);
    expect(container.imagePullPolicy, 'imagePullPolicy').toBe('Always');
    const withDigest = await renderServer(lab, { set: [...set, `image.digest=${DIGEST}`] }).catch(
      (error: unknown) => {
        if (error instanceof DoesNotFit) return undefined;
        throw error;
      },
    );
    if (!withDigest) observe('the chart has no value image.digest');
    else
      expect([`${repository}:1.2.3@${DIGEST}`, `${repository}@${DIGEST}`], 'image with a digest').toContain(
        withDigest.container.image,
      );
  },
);

requirement('M-12', 'gives the server the resources of the values', STATIC, async ({ lab }) => {
  const wanted = { requests: { cpu: '123m', memory: '99Mi' }, limits: { cpu: '456m', memory: '321Mi' } };
  const set = Object.entries(wanted).flatMap(([kind, list]) =>
    Object.entries(list).map(([name, quantity]) => `resources.${kind}.${name}=${quantity}`),
  );
  const { model, container } = await renderServer(lab, { set });
  await expect(resourcesAre(model.object, container.name, wanted)).toHold();
});

requirement(
  'M-14',
  'has the type and port of its Service from the values, and leads to the port of the server',
  STATIC,
  async ({ lab, observe }) => {
    const set = ['service.type=NodePort', 'service.port=8123', 'mcp.port=9191'];
    const { model, container } = await renderServer(lab, { set });
    const service = onlyService(model);
    expect(service.spec.type, 'type of the Service').toBe('NodePort');
    expect(portOf(service).port, 'port of the Service').toBe(8123);
    expect(
      targetOf(service, container),
      `port of the server to which Service ${service.metadata.name} leads`,
    ).toBe(9191);
    observe(`8123 leads to ${String(portOf(service).targetPort)}, which is 9191`);
  },
);

requirement('M-15', 'gives the server the variables of env and envFrom', STATIC, async ({ lab }) => {
  const set = ['env.KP_COLOUR=blue', 'envFrom[0].configMapRef.name=kp-elsewhere'];
  const { container } = await renderServer(lab, { set });
  const variable = variablesOf(container).find(({ name }) => name === 'KP_COLOUR');
  expect(variable?.value, 'value of KP_COLOUR').toBe('blue');
  expect(
    (container.envFrom ?? []).map(({ configMapRef }) => configMapRef?.name),
    'ConfigMaps of envFrom',
  ).toContain('kp-elsewhere');
});

requirement('M-16', 'has the volumes of the values, and mounts them', STATIC, async ({ lab }) => {
  const set = [
    'volumes[0].name=kp-scratch',
    'volumes[0].emptyDir.medium=Memory',
    'volumeMounts[0].name=kp-scratch',
    'volumeMounts[0].mountPath=/kp-scratch',
  ];
  const { model, container } = await renderServer(lab, { set });
  const volume = model.template.spec.volumes?.find(({ name }) => name === 'kp-scratch');
  expect(field(volume?.['emptyDir'], 'medium'), 'medium of volume kp-scratch').toBe('Memory');
  const mount = container.volumeMounts?.find(({ name }) => name === 'kp-scratch');
  expect(mount?.mountPath, 'folder of volume kp-scratch').toBe('/kp-scratch');
});

requirement(
  'M-21',
  'has the labels and annotations of the values on its objects and pods, and in no selector',
  STATIC,
  async ({ lab, observe }) => {
    const key = 'kp-team';
    const set = [`labels.${key}=a`, `annotations.${key}=b`, `podLabels.${key}=c`, `podAnnotations.${key}=d`];
    const { objects, model } = await renderServer(lab, { set });
    expect(model.template.metadata.labels?.[key], 'label of the pods').toBe('c');
    expect(model.template.metadata.annotations?.[key], 'annotation of the pods').toBe('d');
    expect(model.object.metadata.labels?.[key], `label of ${model.title}`).toBe('a');
    expect(model.object.metadata.annotations?.[key], `annotation of ${model.title}`).toBe('b');
    const selecting = objects.filter((object) => JSON.stringify(selectorOf(object) ?? '').includes(key));
    await expect(
      nothingWrong(
        'no selector has a label of the values',
        selecting.map((object) => `${nameOf(object)} selects by ${key}`),
      ),
    ).toHold();
    observe(
      `examined the selectors of ${objects
        .filter((object) => selectorOf(object))
        .map(nameOf)
        .join(', ')}`,
    );
  },
);

function selectorOf({ spec }: KubeObject): unknown {
  return field(spec, 'selector') ?? field(spec, 'podSelector');
}

requirement('M-05', 'leaves the number of replicas to its autoscaler', STATIC, async ({ lab, observe }) => {
  const { objects, model } = await renderServer(lab, { set: ['autoscaling.enabled=true'] });
  await expect(autoscalersCanScale(objects)).toHold();
  expect(model.autoscaler?.metadata.name, `autoscaler of ${model.title}`).toBeDefined();
  observe(`${model.replicas?.least ?? 0} to ${model.replicas?.most ?? 0} replicas`);
});

/** Each with a value that no server can have. */
const BAD_VALUES: readonly string[] = [
  'replicaCount=-1',
  'service.port=99999',
  'image.pullPolicy=Sometimes',
  'resources.limits.memory=much',
];

requirement('M-22', 'refuses bad values before it renders anything', STATIC, async ({ lab, observe }) => {
  const accepted: string[] = [];
  const unfit: DoesNotFit[] = [];
  for (const value of BAD_VALUES) {
    try {
      const refusal = await lab.refusal({ set: [value] });
      if (!refusal) accepted.push(`${value} is accepted`);
      else observe(`${value} is refused`);
    } catch (error) {
      if (!(error instanceof DoesNotFit)) throw error;
      unfit.push(error);
      observe(error.message);
    }
  }
  if (unfit[0] && unfit.length === BAD_VALUES.length) throw unfit[0];
  await expect(nothingWrong('every bad value is refused', accepted)).toHold();
});

requirement(
  'M-72',
  'fills in the template of a token, and shows the token in no object but a Secret',
  STATIC,
  async ({ lab, observe }) => {
    const { objects, container } = await renderServer(lab, { set: WITH_TOKEN });
    const variable = variablesOf(container).find(({ name }) => name === 'GITHUB_TOKEN');
    if (!variable) throw new DoesNotFit('the server gets no variable GITHUB_TOKEN from env');
    const unfilled = objects
      .filter((object) => JSON.stringify(object).includes('.Values.github.token'))
      .map((object) => `${nameOf(object)} has the template itself`);
    await expect(nothingWrong('no object has the template of the token', unfilled)).toHold();
    const open = objects
      .filter(({ kind }) => kind !== 'Secret')
      .filter((object) => JSON.stringify(object).includes(TOKEN))
      .map((object) => `${nameOf(object)} has the token in plain text`);
    await expect(nothingWrong('only a Secret has the token', open)).toHold();
    const { name: secret, key = '' } = variable.valueFrom?.['secretKeyRef'] ?? {};
    const held = find(objects, 'Secret', secret);
    const text =
      (field(held?.['stringData'], key) as string | undefined) ??
      Buffer.from((field(held?.['data'], key) as string | undefined) ?? '', 'base64').toString();
    expect(text === TOKEN, `whether key ${key} of Secret ${secret ?? 'none'} is the token`).toBe(true);
    observe(`GITHUB_TOKEN is key ${key} of Secret ${secret ?? 'none'}`);
  },
);

/** As long as helm allows, and with the characters that it allows. */
const LONG_NAME = 'template-with-a-very-long-identifier-0123456789-abcdef';

requirement(
  'M-77',
  'has valid names however long the name of the release is',
  STATIC,
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace();
    const releaseName = LONG_NAME.slice(0, 53).replace(/-$/, 'x');
    const { objects } = await lab.render({ releaseName, namespace });
    const bad = objects.flatMap((object) => [
      ...wrongName(object),
      ...Object.entries(podTemplateOf(object)?.metadata.labels ?? {})
        .filter(([, value]) => value.length > 63)
        .map(([key]) => `${nameOf(object)} has pods whose label ${key} is longer than 63 characters`),
    ]);
    await expect(nothingWrong('every name is a DNS name of at most 63 characters', bad)).toHold();
    const { refusals, unknown } = await validate(kube, objects, namespace);
    await expect(nothingWrong('the API server accepts the names', refusals)).toHold();
    if (unknown.length > 0) observe(`not validated, the server lacks their kinds: ${unknown.join(', ')}`);
    observe(`${releaseName}: ${objects.map(({ metadata }) => metadata.name.length).join(', ')} characters`);
  },
);
