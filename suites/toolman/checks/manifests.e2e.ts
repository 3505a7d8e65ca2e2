/** What the rendered manifests and dry-runs of the API server show, without creating anything. */
import { refusalsOf } from '../../../harness/kube/manifests/dry-run.ts';
import { antiAffinityTerm } from '../../../harness/observe/predicates/rendered/affinity.ts';
import { resourcesAre } from '../../../harness/observe/predicates/rendered/resources.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import { inProduction } from '../production-values.ts';
import { renderedServer, serverIn } from '../server.ts';

const NAME_LABEL = 'app.kubernetes.io/name';

requirement(
  'T-01',
  'lints, renders and passes strict validation by the API server',
  { release: 'none', static: true },
  async ({ lab, kube, subject, observe }) => {
    const lint = await lab.helm.lint(lab.source());
    const complaints = lint.messages.filter((m) => m.severity !== 'info').map((m) => `${m.path}: ${m.text}`);
    await expect(nothingWrong('helm lint finds nothing', complaints)).toHold();

    const namespace = await lab.namespace();
    const served = new Set((await kube.resources()).map((r) => `${r.apiVersion} ${r.kind}`));
    const variants = {
      'default values': { onlyChart: true },
      "the subject's values": {},
      'production values': await inProduction(subject),
    };
    for (const [variant, options] of Object.entries(variants)) {
      const { objects } = await lab.render({ ...options, namespace });
      const known = objects.filter((o) => served.has(`${o.apiVersion} ${o.kind}`));
      const refusals = await refusalsOf(known, (o) =>
        kube.apply(inNamespace(o, namespace), { dryRun: true, strict: true, namespace }),
      );
      expect(known.length, `objects rendered from ${variant}`).toBeGreaterThan(0);
      await expect(nothingWrong(`the API server accepts ${variant} in a strict dry-run`, refusals)).toHold();
      observe(`${variant}: ${known.length} objects accepted by strict server-side dry-run`);
    }
  },
);

requirement(
  'T-34',
  'renders exactly the production resources 500m/512Mi to 2000m/2Gi',
  { release: 'none', static: true },
  async ({ lab, subject }) => {
    const { object, container } = await renderedServer(lab, await inProduction(subject));
    await expect(
      resourcesAre(object, container.name, {
        requests: { cpu: '500m', memory: '512Mi' },
        limits: { cpu: '2000m', memory: '2Gi' },
      }),
    ).toHold();
  },
);

requirement(
  'T-35',
  'prefers to keep replicas on different nodes: weight 100, by app.kubernetes.io/name, per hostname',
  { static: true },
  async ({ release }) => {
    const { object, workload } = serverIn(release);
    // The documented value of the label is the subject of T-39; the term has to select the pods themselves.
    const label = workload.template.metadata.labels?.[NAME_LABEL] ?? 'toolman';
    await expect(
      antiAffinityTerm(object, {
        weight: 100,
        key: NAME_LABEL,
        values: [label],
        topologyKey: 'kubernetes.io/hostname',
      }),
    ).toHold();
  },
);

/** A namespace that the chart names need not exist yet. */
function inNamespace(object: KubeObject, namespace: string): KubeObject {
  const { namespace: named, ...metadata } = object.metadata;
  return named === undefined ? object : { ...object, metadata: { ...metadata, namespace } };
}
