/** What the manifests and dry-runs of the API server show, without creating anything. */
import { refusalsOf } from '../../../harness/kube/manifests/dry-run.ts';
import { replicasKeepApart } from '../../../harness/observe/predicates/rendered/affinity.ts';
import { apisServed } from '../../../harness/observe/predicates/rendered/api-versions.ts';
import {
  credentialsAreInSecrets,
  secretKeysExist,
} from '../../../harness/observe/predicates/rendered/credentials.ts';
import { imagesArePinned } from '../../../harness/observe/predicates/rendered/images.ts';
import { listenersHaveProbes } from '../../../harness/observe/predicates/rendered/probes.ts';
import {
  everyContainerHasResources,
  resourcesAre,
} from '../../../harness/observe/predicates/rendered/resources.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { nameOf, podTemplateOf } from '../../../harness/kube/manifests/objects.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { isExampleIngress, routesExist } from '../objects/ingress.ts';
import { requirement } from '../kit.ts';
import { migrationScript, scriptIsMounted } from '../migrations/migration-script.ts';
import { HOSTNAME, RESOURCES, SECRET, SECRET_KEYS } from '../names.ts';
import { renderedRoles, rolesOf } from '../roles.ts';

const STATIC = { release: 'none', static: true } as const;
const OLDEST = '1.24';
const OPTIONS = ['hpa.yaml', 'ingress.yaml', 'migration-job.yaml', 'networkpolicy.yaml'] as const;

requirement(
  'R-03',
  'tells the scheduler to keep its replicas on different nodes',
  STATIC,
  async ({ lab }) => {
    await expect(replicasKeepApart((await renderedRoles(lab)).deployment, HOSTNAME)).toHold();
  },
);

requirement(
  'R-13',
  'contains the migration script in a ConfigMap, mounted executable and read-only',
  STATIC,
  async ({ lab }) => {
    const { objects } = await lab.render();
    const { deployment, migrations } = await renderedRoles(lab);
    await expect(scriptIsMounted(migrationScript(deployment, migrations.container), objects)).toHold();
  },
);

requirement(
  'R-14',
  'uses only APIs that Kubernetes 1.24 serves and this cluster has not deprecated, and passes strict validation',
  STATIC,
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace();
    const { objects } = await lab.render({ namespace });
    const options = await Promise.all(OPTIONS.map((file) => lab.optional(file)));
    const all = [...objects, ...options.flat()];
    await expect(apisServed(all, { oldest: OLDEST, newest: await kube.version() })).toHold();
    const refusals = await refusalsOf(all, (o) => kube.apply(o, { dryRun: true, strict: true, namespace }));
    await expect(nothingWrong('the API server accepts everything in a strict dry-run', refusals)).toHold();
    observe(`${all.length} objects accepted by ${await kube.version()} in a strict server-side dry-run`);
  },
);

requirement(
  'R-17',
  'reads its credentials from the documented keys, and its Secret has them',
  STATIC,
  async ({ lab }) => {
    // As rendered, without what the suite's environment fills in.
    const { objects } = await lab.render();
    await expect(secretKeysExist(objects, SECRET, SECRET_KEYS)).toHold();
  },
);

requirement(
  'R-35',
  'requests 250m/256Mi and is limited to 1000m/512Mi, for the migrations too',
  STATIC,
  async ({ lab }) => {
    const { deployment, server, migrations } = await renderedRoles(lab);
    for (const { name } of new Set([migrations.container, server]))
      await expect(resourcesAre(deployment, name, RESOURCES)).toHold();
  },
);

requirement('R-40', 'keeps its credentials in a Secret only', STATIC, async ({ lab }) => {
  const { objects } = await lab.render();
  await expect(credentialsAreInSecrets(objects, SECRET_KEYS)).toHold();
});

requirement(
  'R-42',
  'has its Prometheus annotations on the pods, where Prometheus reads them',
  STATIC,
  async ({ lab, observe }) => {
    const { deployment } = await renderedRoles(lab);
    const annotations = podTemplateOf(deployment)?.metadata.annotations ?? {};
    const wanted = {
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '8000',
      'prometheus.io/path': '/metrics',
    };
    expect(annotations, `annotations of the pod template of ${nameOf(deployment)}`).toMatchObject(wanted);
    observe(
      Object.entries(wanted)
        .map((entry) => entry.join('='))
        .join(', '),
    );
  },
);

requirement(
  'R-43',
  'has the documented Ingress, which routes to an existing Service and port',
  STATIC,
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace();
    const { objects } = await lab.render({ namespace });
    const ingresses = (await lab.optional('ingress.yaml')).filter((o) => o.kind === 'Ingress');
    expect(ingresses.length, 'Ingresses').toBe(1);
    for (const ingress of ingresses) {
      await expect(isExampleIngress(ingress)).toHold();
      await expect(routesExist(ingress, objects)).toHold();
      await kube.apply(ingress, { dryRun: true, strict: true, namespace });
    }
    const classes = await kube.list({ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass' });
    observe(
      `accepted in a strict dry-run; routing and TLS not tried: ${classes.length === 0 ? 'the cluster has no ingress controller' : 'they depend on the ingress controller'}`,
    );
  },
);

requirement(
  'R-54',
  'is admitted by Pod Security Standard restricted',
  { release: 'none', static: true, needs: ['pod-security-admission'] },
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const { deployment } = rolesOf({ ...(await lab.render({ namespace })), namespace });
    const workloads = [deployment, ...(await lab.optional('migration-job.yaml'))];
    const pods = workloads.flatMap((object) => podOf(object, namespace));
    expect(pods.length, 'pods to admit').toBeGreaterThan(0);
    const refusals = await refusalsOf(pods, (pod) => kube.create(pod, { dryRun: true }));
    await expect(nothingWrong('a namespace with enforce=restricted admits the pods', refusals)).toHold();
    observe(
      `pods of ${pods.map(({ metadata }) => metadata.name).join(', ')} admitted with enforce=restricted`,
    );
  },
);

requirement(
  'X-03',
  'has resources, an image tag and probes in every container that needs them',
  STATIC,
  async ({ lab }) => {
    const { objects } = await lab.render();
    await expect(everyContainerHasResources(objects)).toHold();
    await expect(imagesArePinned(objects)).toHold();
    await expect(listenersHaveProbes(objects)).toHold();
  },
);

/** The pod that the workload would create: admission rejects pods, and only warns about their workloads. */
function podOf(object: KubeObject, namespace: string): KubeObject[] {
  const template = podTemplateOf(object);
  if (!template) return [];
  const { labels = {}, annotations = {} } = template.metadata;
  const metadata = { name: object.metadata.name, namespace, labels, annotations };
  // The subject's own ServiceAccount does not exist in a dry-run.
  return [
    { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...template.spec, serviceAccountName: 'default' } },
  ];
}
