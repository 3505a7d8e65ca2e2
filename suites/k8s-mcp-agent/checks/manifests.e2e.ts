/** What the rendered manifests and dry-runs of the API server show, without creating anything. */
import { refusalsOf } from '../../../harness/kube/manifests/dry-run.ts';
import { resourcesAre } from '../../../harness/observe/predicates/rendered/resources.ts';
import {
  securityContextIs,
  nothingIsPrivileged,
} from '../../../harness/observe/predicates/rendered/security.ts';
import { selectorsAreStable } from '../../../harness/observe/predicates/rendered/selectors.ts';
import { containersOf } from '../../../harness/observe/predicates/select.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { CheckFailure, type UsageError } from '../../../harness/core/errors.ts';
import { firstLine } from '../../../harness/core/wording.ts';
import { matchesSelector, toSelectorString } from '../../../harness/kube/api/selectors.ts';
import type { LabelSelector } from '../../../harness/kube/api/types.ts';
import { field, nameOf, podSpecOf, podTemplateOf } from '../../../harness/kube/manifests/objects.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import { agentIn, DOCUMENTED } from '../agent.ts';
import { daemonPods } from '../agent-pods.ts';
import { requirement } from '../kit.ts';
import { refusedOnPurpose } from '../refused-on-purpose.ts';

const GPU = 'nvidia.com/gpu';

/** The values that choose how the agent accesses the GPUs. */
const ACCESS = {
  runtimeClass: 'gpu.runtimeClass.enabled',
  operator: 'gpu.operator.enabled',
  dra: 'gpu.dra.enabled',
} as const;

/** `--set` pairs that enable only these. */
function access(...enabled: (keyof typeof ACCESS)[]): string[] {
  return Object.entries(ACCESS).map(
    ([way, value]) => `${value}=${enabled.includes(way as keyof typeof ACCESS)}`,
  );
}

requirement(
  'G-45',
  'consists of Namespace, ServiceAccount and DaemonSet, and has a real values.yaml',
  { static: true },
  async ({ lab, release, observe }) => {
    const { objects } = await lab.render({ onlyChart: true, namespace: 'default' });
    const kinds = objects.map((o) => o.kind);
    for (const kind of ['Namespace', 'ServiceAccount', 'DaemonSet']) {
      expect(kinds, `kinds that the chart renders for a cluster without its namespace`).toContain(kind);
    }
    // The document shows a Kustomization as values.yaml, with which no chart can be installed.
    const values = await lab.helm.getValues(
      { releaseName: release.name, namespace: release.namespace },
      { all: true },
    );
    expect(Object.keys(values), 'keys of the values').not.toContain('kind');
    expect(Object.keys(values), 'keys of the values').not.toContain('resources:');
    expect(Object.keys(values).length, 'number of values').toBeGreaterThan(0);
    observe(`renders ${kinds.join(', ')}; ${Object.keys(values).length} top-level values`);
  },
);

requirement(
  'G-05',
  'selects its pods by app.kubernetes.io/name, and no others in its namespace',
  { static: true },
  async ({ release, kube, observe }) => {
    const { object: daemonSet, namespace, workload } = agentIn(release);
    const selector = (field(daemonSet['spec'], 'selector') ?? {}) as LabelSelector;
    const keys = [
      ...Object.keys(selector.matchLabels ?? {}),
      ...(selector.matchExpressions ?? []).map(({ key }) => key),
    ];
    expect(keys, 'labels that the DaemonSet selects').toContain('app.kubernetes.io/name');
    await expect(selectorsAreStable([daemonSet])).toHold();
    const { labels } = workload.template.metadata;
    const labelSelector = toSelectorString(selector);
    expect(matchesSelector(selector, labels), `${labelSelector} selects its pods`).toBe(true);
    const matched = await kube.list('Pod', { namespace, labelSelector });
    const own = new Set((await daemonPods(release)).map(({ metadata }) => metadata.uid));
    const foreign = matched.filter(({ metadata }) => !own.has(metadata.uid));
    await expect(
      nothingWrong(
        `${labelSelector} matches the pods of the DaemonSet only`,
        foreign.map(({ metadata }) => metadata.name),
      ),
    ).toHold();
    observe(`${labelSelector} matches its ${matched.length} pods`);
  },
);

requirement(
  'G-06',
  'labels its pods app.kubernetes.io/component=gpu-diagnostics',
  { static: true },
  ({ release }) => {
    const labels = agentIn(release).workload.template.metadata.labels;
    expect(labels, 'labels of the pod template').toHaveProperty(
      ['app.kubernetes.io/component'],
      'gpu-diagnostics',
    );
  },
);

requirement('G-07', 'requests the RuntimeClass nvidia', { static: true }, ({ release }) => {
  const { spec } = agentIn(release).workload.template;
  expect(spec.runtimeClassName, 'runtimeClassName').toBe('nvidia');
});

requirement(
  'G-10',
  'has one container "agent"',
  { release: 'none', static: true, names: true },
  async ({ lab }) => {
    const { containers } = agentIn(await lab.subject()).workload.template.spec;
    expect(containers.map((c) => c.name)).toEqual([DOCUMENTED.container]);
  },
);

requirement(
  'G-10',
  'idles with `sleep infinity`, with stdin and a terminal',
  { static: true },
  ({ release }) => {
    const { name, command = [], args = [], ...agent } = agentIn(release).container;
    expect([...command, ...args], `command of container ${name}`).toEqual(['sleep', 'infinity']);
    expect({ stdin: agent['stdin'], tty: agent['tty'] }, `container ${name}`).toEqual({
      stdin: true,
      tty: true,
    });
  },
);

requirement(
  ['G-11', 'G-16', 'G-17'],
  'is not privileged and shares no Linux namespace of its node',
  { static: true },
  async ({ release }) => {
    await expect(nothingIsPrivileged(release.objects)).toHold();
  },
);

requirement(
  ['G-12', 'G-13', 'G-14', 'G-15'],
  'runs as root without escalation, writable root file system or capabilities, as documented',
  { static: true },
  async ({ release }) => {
    const { object, container } = agentIn(release);
    await expect(
      securityContextIs(object, container.name, {
        runAsUser: 0,
        runAsNonRoot: false,
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        // None is added: no capability is known to be needed.
        capabilities: { drop: ['ALL'] },
      }),
    ).toHold();
  },
);

requirement('G-18', `never requests ${GPU}`, { static: true }, async ({ release, observe }) => {
  const containers = containersOf(release.objects);
  expect(containers.length, 'containers').toBeGreaterThan(0);
  const requesting = containers.flatMap(({ title, container }) =>
    (['requests', 'limits'] as const)
      .filter((list) => container.resources?.[list]?.[GPU] !== undefined)
      .map((list) => `${title} has ${GPU} in its ${list}`),
  );
  await expect(nothingWrong(`no container requests ${GPU}`, requesting)).toHold();
  observe(`${containers.length} containers examined`);
});

requirement(
  'G-19',
  'mounts no path of its node, and is admitted by Pod Security Standard baseline',
  { release: 'none', static: true, needs: ['pod-security-admission'] },
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace({ 'pod-security.kubernetes.io/enforce': 'baseline' });
    const { objects } = await lab.render({ namespace });
    const templates = objects.flatMap((object) => {
      const template = podTemplateOf(object);
      return template ? [{ object, template }] : [];
    });
    expect(templates.length, 'pod templates').toBeGreaterThan(0);
    for (const { object, template } of templates) {
      const volumes = (template.spec['volumes'] ?? []) as { name: string; hostPath?: { path: string } }[];
      const mounted = volumes.flatMap((v) => (v.hostPath ? [`volume ${v.name} is ${v.hostPath.path}`] : []));
      await expect(nothingWrong(`${nameOf(object)} mounts no path of its node`, mounted)).toHold();
      const spec = { ...template.spec, serviceAccountName: 'default' };
      const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'admitted', namespace }, spec };
      const refusals = await refusalsOf([pod], (o) => kube.create(o, { dryRun: true }));
      await expect(nothingWrong(`a pod of ${nameOf(object)} is admitted under baseline`, refusals)).toHold();
      observe(
        `${nameOf(object)}: ${volumes.length} volumes, none a path of the node; admitted under baseline`,
      );
    }
  },
);

requirement(
  'G-20',
  'requests 1m and 10Mi and is limited to 100m and 50Mi',
  { static: true },
  async ({ release }) => {
    const { object, container } = agentIn(release);
    await expect(
      resourcesAre(object, container.name, {
        requests: { cpu: '1m', memory: '10Mi' },
        limits: { cpu: '100m', memory: '50Mi' },
      }),
    ).toHold();
  },
);

requirement(
  'G-23',
  'leaves the RuntimeClass to the cluster, with every GPU access method',
  { release: 'none', static: true },
  async ({ lab, observe }) => {
    for (const way of ['runtimeClass', 'operator'] as const) {
      const { objects } = await lab.render({ set: access(way) });
      expect(objects.length, `objects rendered with ${way}`).toBeGreaterThan(0);
      const owned = objects.filter((o) => o.kind === 'RuntimeClass').map(nameOf);
      await expect(nothingWrong(`no RuntimeClass is rendered with ${way}`, owned)).toHold();
    }
    observe('not rendered with gpu.runtimeClass, nor with gpu.operator');
  },
);

requirement(
  'G-26',
  'refuses to render without a GPU access method or with several, and says so',
  { release: 'none', static: true },
  async ({ lab, observe }) => {
    const wrong: Record<string, string[]> = {
      none: access(),
      two: access('runtimeClass', 'operator'),
      three: access('runtimeClass', 'operator', 'dra'),
    };
    for (const [how, set] of Object.entries(wrong)) {
      const error = await refusal(lab, set);
      await expect(
        refusedOnPurpose(
          error,
          `the chart with ${how} of its GPU access methods`,
          /gpu|runtimeClass|operator|dra/i,
        ),
      ).toHold();
      observe(`${how}: ${firstLine(error.message)}`);
    }
    for (const way of Object.keys(ACCESS) as (keyof typeof ACCESS)[]) {
      if (way === 'dra') continue;
      expect((await lab.render({ set: access(way) })).objects.length, `objects with ${way}`).toBeGreaterThan(
        0,
      );
    }
  },
);

/** Why the chart does not render. */
async function refusal(lab: Lab, set: string[]): Promise<UsageError> {
  const error = await lab.refusal({ set });
  if (error) return error;
  throw new CheckFailure('E_RENDERED', `the chart renders with ${set.join(', ')}`, {
    hint: 'It has to fail, because the access method would be a guess.',
  });
}

requirement(
  'G-25',
  'requests GPUs by a claim template that the cluster accepts, instead of a RuntimeClass',
  { release: 'none', static: true, needs: ['dra'] },
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace({ 'resource.kubernetes.io/admin-access': 'true' });
    const { objects } = await lab.render({ namespace, set: access('dra') });
    const daemonSet = objects.find((o) => o.kind === 'DaemonSet');
    if (!daemonSet) throw new CheckFailure('E_NOT_RENDERED', 'the chart renders no DaemonSet');
    const spec = podSpecOf(daemonSet);
    const claims = (spec?.['resourceClaims'] ?? []) as {
      name: string;
      resourceClaimTemplateName?: string;
      resourceClaimName?: string;
    }[];
    const [claim] = claims;
    expect(claims.length, 'resourceClaims of the pod').toBe(1);
    const used = spec?.containers.flatMap((c) =>
      ((c.resources as { claims?: { name: string }[] } | undefined)?.claims ?? []).map((u) => u.name),
    );
    expect(used, 'claims that containers use').toEqual([claim?.name]);
    expect(spec?.['runtimeClassName'], 'runtimeClassName beside a claim').toBeUndefined();
    const templates = objects.filter((o) => o.kind === 'ResourceClaimTemplate');
    expect(templates.map((o) => o.metadata.name)).toContain(claim?.resourceClaimTemplateName);
    const served = new Set((await kube.resources()).map((r) => `${r.apiVersion} ${r.kind}`));
    for (const object of [...templates, daemonSet]) {
      expect(served, 'kinds that the cluster serves').toContain(`${object.apiVersion} ${object.kind}`);
      const refusals = await refusalsOf([object], (o) =>
        kube.apply(o, { dryRun: true, strict: true, namespace }),
      );
      await expect(nothingWrong(`a strict dry-run accepts ${nameOf(object)}`, refusals)).toHold();
      observe(`${nameOf(object)} (${object.apiVersion}) accepted by a strict dry-run`);
    }
  },
);
