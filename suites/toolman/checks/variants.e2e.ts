/** What the chart renders by default, for production, and with each of its switches. Nothing is created. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import { refusalsOf } from '../../../harness/kube/manifests/dry-run.ts';
import { unknownValues } from '../../../harness/kube/helm/unknown-values.ts';
import { nameOf, podSpecOf } from '../../../harness/kube/manifests/objects.ts';
import { autoscalersCanScale } from '../../../harness/observe/predicates/rendered/autoscaling.ts';
import { credentialsAreInSecrets } from '../../../harness/observe/predicates/rendered/credentials.ts';
import { imagesArePinned, pullsInVain } from '../../../harness/observe/predicates/rendered/images.ts';
import { probeSettings } from '../../../harness/observe/predicates/rendered/probes.ts';
import {
  everyContainerHasResources,
  resourcesAre,
} from '../../../harness/observe/predicates/rendered/resources.ts';
import { nothingIsPrivileged } from '../../../harness/observe/predicates/rendered/security.ts';
import { selectorsAreStable } from '../../../harness/observe/predicates/rendered/selectors.ts';
import { volumesAreMounted } from '../../../harness/observe/predicates/rendered/volumes.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import type { KubeObject } from '../../../harness/kube/api/types.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { CheckOptions } from '../../../harness/run/suite/check.ts';
import type { Lab, RenderOptions } from '../../../harness/run/suite/lab.ts';
import { valueBehind } from '../../../harness/run/suite/value-behind.ts';
import { requirement } from '../kit.ts';
import { DOCUMENTED_LOG_LEVEL, logLevelOf, logLevelValue } from '../log-level.ts';
import { inProduction } from '../production-values.ts';
import {
  budgetOf,
  claimIn,
  credentialsOf,
  dockerDaemonIn,
  DOCUMENTED,
  renderedServer,
  runsDocker,
  serverIn,
  storageOf,
} from '../server.ts';

const STATIC: CheckOptions = { release: 'none', static: true };
const WITH_DOCKER = { set: ['dind.enabled=true'] };

/** The switches that the documents describe, each with what it needs. */
const SWITCHES: Readonly<Record<string, readonly string[]>> = {
  'a Docker daemon': ['dind.enabled=true'],
  'the Kubernetes server': [
    'kubernetesServer.enabled=true',
    'kubernetesServer.kubeconfig.secretName=kubeconfig',
  ],
  persistence: ['persistence.enabled=true'],
  'no persistence': ['persistence.enabled=false'],
  probes: ['probes.enabled=true'],
  'a disruption budget': ['podDisruptionBudget.enabled=true'],
  autoscaling: ['autoscaling.enabled=true'],
  'a network policy': ['networkPolicy.enabled=true', 'networkPolicy.egress.enabled=true'],
  'a service monitor': ['serviceMonitor.enabled=true'],
};

async function objectsOf(lab: Lab, options: RenderOptions = {}): Promise<KubeObject[]> {
  return (await lab.render(options)).objects;
}

/** Of these values, those that the chart has. */
async function known(lab: Lab, pairs: readonly string[]): Promise<string[]> {
  const unknown = await unknownValues(lab.source(), pairs);
  return pairs.filter((pair) => !unknown.includes(pair));
}

/** @throws DoesNotFit when the chart has no switch for what the documents leave off by default */
async function needSwitch(lab: Lab, name: string): Promise<void> {
  const set = SWITCHES[name] ?? [];
  if ((await known(lab, set)).length < set.length)
    throw new DoesNotFit(`the chart has no switch for ${name}: ${set.join(', ')}`);
}

requirement('TA-25', 'has nothing that helm lint complains about', STATIC, async ({ lab, observe }) => {
  const { messages } = await lab.helm.lint(lab.source());
  const complaints = messages.filter(({ severity }) => severity !== 'info');
  await expect(
    nothingWrong(
      'helm lint finds neither errors nor warnings',
      complaints.map(({ path, text }) => `${path}: ${text}`),
    ),
  ).toHold();
  observe(`${messages.length} remarks of level info`);
});

requirement(
  ['T-04', 'T-37'],
  'has a privileged Docker daemon beside its main container when asked for, and nothing of it otherwise',
  STATIC,
  async ({ lab, observe }) => {
    const off = await renderedServer(lab, { set: ['dind.enabled=false'] });
    const without = off.workload.template.spec;
    const daemons = without.containers.filter(runsDocker).map(({ name }) => name);
    expect(daemons, 'Docker containers without a Docker daemon').toEqual([]);
    await expect(nothingIsPrivileged([off.object])).toHold();
    const volumes = (without.volumes ?? []).filter(({ name }) => name.includes('docker'));
    expect(volumes, 'volumes for Docker without a Docker daemon').toEqual([]);

    const on = await renderedServer(lab, WITH_DOCKER);
    const { containers } = on.workload.template.spec;
    expect(containers, 'containers with a Docker daemon').toHaveLength(without.containers.length + 1);
    const sidecar = dockerDaemonIn(on);
    const { name } = sidecar;
    expect(sidecar.image, `image of ${name}`).toMatch(/(^|\/)docker:([\w.-]+-)?dind$/);
    expect(sidecar.securityContext?.['privileged'], `privileged of ${name}`).toBe(true);
    expect(on.container.securityContext?.['privileged'] ?? false, 'privileged of the main container').toBe(
      false,
    );
    const tls = sidecar.env?.find((variable) => variable.name === 'DOCKER_TLS_CERTDIR');
    expect(tls?.value ?? tls, `DOCKER_TLS_CERTDIR of ${name}`).toBe('');
    for (const container of [on.container, sidecar]) {
      const mount = container.volumeMounts?.find(({ mountPath }) => mountPath === '/var/run');
      expect(mount?.mountPath, `folder of the socket in ${container.name}`).toBe('/var/run');
    }
    observe(`${name} runs ${sidecar.image}`);
  },
);

requirement(
  'TA-02',
  'calls its Docker daemon docker-daemon, which requests 100m and 128Mi',
  { ...STATIC, names: true },
  async ({ lab }) => {
    const { object, workload } = await renderedServer(lab, WITH_DOCKER);
    const { containers } = workload.template.spec;
    const sidecar = containers.find(({ name }) => name === DOCUMENTED.dockerDaemon);
    expect(sidecar?.name, `the sidecar among ${containers.map(({ name }) => name).join(', ')}`).toBe(
      DOCUMENTED.dockerDaemon,
    );
    const requests = { cpu: '100m', memory: '128Mi' };
    await expect(resourcesAre(object, DOCUMENTED.dockerDaemon, { ...sidecar?.resources, requests })).toHold();
  },
);

requirement('TA-08', 'gives its Docker daemon the resources of the values', STATIC, async ({ lab }) => {
  const wanted = { requests: { cpu: '150m', memory: '200Mi' }, limits: { cpu: '700m', memory: '900Mi' } };
  const set = [...WITH_DOCKER.set, ...resourceValues('dind.resources', wanted)];
  const server = await renderedServer(lab, { set });
  await expect(resourcesAre(server.object, dockerDaemonIn(server).name, wanted)).toHold();
});

requirement('T-33', 'gives the main container the resources of the values', STATIC, async ({ lab }) => {
  const wanted = { requests: { cpu: '123m', memory: '99Mi' }, limits: { cpu: '456m', memory: '321Mi' } };
  const { object, container } = await renderedServer(lab, { set: resourceValues('resources', wanted) });
  await expect(resourcesAre(object, container.name, wanted)).toHold();
});

requirement('TA-07', 'has by default the resources 100m/128Mi to 500m/512Mi', STATIC, async ({ lab }) => {
  const { object, container } = await renderedServer(lab, { onlyChart: true });
  await expect(
    resourcesAre(object, container.name, {
      requests: { cpu: '100m', memory: '128Mi' },
      limits: { cpu: '500m', memory: '512Mi' },
    }),
  ).toHold();
});

requirement(
  'TA-03',
  'has no init container by default, and one for the Kubernetes server',
  STATIC,
  async ({ lab }) => {
    const inits = async (set: readonly string[]): Promise<string[]> => {
      const { workload } = await renderedServer(lab, { onlyChart: true, set });
      return (workload.template.spec.initContainers ?? []).map(({ name }) => name);
    };
    await needSwitch(lab, 'the Kubernetes server');
    expect(await inits([]), 'init containers by default').toEqual([]);
    expect(
      await inits(SWITCHES['the Kubernetes server'] ?? []),
      'init containers with the Kubernetes server',
    ).toHaveLength(1);
  },
);

requirement(
  'TA-12',
  'states how it is updated: RollingUpdate, maxSurge and maxUnavailable',
  STATIC,
  async ({ lab, observe }) => {
    const { spec } = (await renderedServer(lab)).object as KubeObject & {
      spec: {
        strategy?: { type?: string; rollingUpdate?: { maxSurge?: unknown; maxUnavailable?: unknown } };
      };
    };
    const { type, rollingUpdate } = spec.strategy ?? {};
    expect(type, 'type of the update strategy').toBe('RollingUpdate');
    expect(rollingUpdate?.maxSurge, 'maxSurge').toBeDefined();
    expect(rollingUpdate?.maxUnavailable, 'maxUnavailable').toBeDefined();
    observe(
      `maxSurge ${String(rollingUpdate?.maxSurge)}, maxUnavailable ${String(rollingUpdate?.maxUnavailable)}`,
    );
  },
);

requirement(
  'TA-15',
  'has no probes by default, and all of them in production',
  STATIC,
  async ({ lab, subject }) => {
    await needSwitch(lab, 'probes');
    const byDefault = (await renderedServer(lab, { onlyChart: true })).container;
    const { livenessProbe, readinessProbe } = byDefault;
    expect({ livenessProbe, readinessProbe }, 'probes by default').toEqual({});
    const main = (await renderedServer(lab, await inProduction(subject))).container;
    expect(main.livenessProbe, 'livenessProbe in production').toBeDefined();
    expect(main.readinessProbe, 'readinessProbe in production').toBeDefined();
  },
);

requirement(
  'T-19',
  'probes with the documented delays: liveness 30 s and every 10 s, readiness 5 s and every 5 s',
  STATIC,
  async ({ lab, subject }) => {
    const { object, container } = await renderedServer(lab, await inProduction(subject));
    const { name } = container;
    await expect(
      probeSettings(object, name, 'livenessProbe', { initialDelaySeconds: 30, periodSeconds: 10 }),
    ).toHold();
    await expect(
      probeSettings(object, name, 'readinessProbe', { initialDelaySeconds: 5, periodSeconds: 5 }),
    ).toHold();
  },
);

requirement(
  ['T-51', 'TA-18'],
  'runs a fixed tag and pulls it only where it is missing',
  STATIC,
  async ({ lab, subject }) => {
    for (const options of [{}, await inProduction(subject)]) {
      const { object, container } = await renderedServer(lab, options);
      await expect(imagesArePinned([object])).toHold();
      await expect(pullsInVain([object], () => true)).toHold();
      expect(container.imagePullPolicy ?? 'IfNotPresent', 'imagePullPolicy').toBe('IfNotPresent');
    }
  },
);

requirement(
  'TA-20',
  'has requests and limits of every container, with every switch',
  STATIC,
  async ({ lab }) => {
    const switches = [...WITH_DOCKER.set, ...(SWITCHES['the Kubernetes server'] ?? [])];
    const { object } = await renderedServer(lab, { set: await known(lab, switches) });
    await expect(everyContainerHasResources([object])).toHold();
  },
);

requirement(
  'TA-21',
  'claims storage of the size and class of the values',
  STATIC,
  async ({ lab, subject, observe }) => {
    if (subject.reference) {
      const { rendered } = await renderedServer(lab, await inProduction(subject));
      expect(storageOf(claimIn(rendered)), 'claim in production').toEqual({
        size: '20Gi',
        storageClass: 'fast-ssd',
      });
    }
    const server = await renderedServer(lab);
    const of = `the claim of ${server.workload.title}`;
    const size = await valueBehind(lab, {
      documented: 'persistence.size',
      sets: `the size of ${of}`,
      read: (rendered) => storageOf(claimIn(rendered)).size,
      other: '7Gi',
    });
    const storageClass = await valueBehind(lab, {
      documented: 'persistence.storageClass',
      sets: `the class of ${of}`,
      read: (rendered) => storageOf(claimIn(rendered)).storageClass,
      other: 'fast-ssd',
    });
    const set = [
      ...(claimIn(server.rendered) ? [] : ['persistence.enabled=true']),
      `${size}=7Gi`,
      `${storageClass}=fast-ssd`,
    ];
    const claim = storageOf(claimIn((await renderedServer(lab, { set })).rendered));
    expect(claim, 'claim with 7Gi of class fast-ssd').toEqual({ size: '7Gi', storageClass: 'fast-ssd' });
    observe(`${claim.size ?? ''} of class ${claim.storageClass ?? ''}`);
  },
);

requirement(
  'TA-11',
  'has no disruption budget by default, and one with minAvailable 2 in production',
  STATIC,
  async ({ lab, subject }) => {
    await needSwitch(lab, 'a disruption budget');
    const byDefault = (await renderedServer(lab, { onlyChart: true })).workload;
    expect(byDefault.budgets.map(nameOf), 'budgets by default').toEqual([]);
    const { workload, rendered } = await renderedServer(lab, await inProduction(subject));
    if (workload.budgets.length === 0)
      throw new DoesNotFit('the chart renders no PodDisruptionBudget in production');
    const { minAvailable } = budgetOf(rendered)['spec'] as { minAvailable?: unknown };
    expect(minAvailable, 'minAvailable in production').toBe(2);
  },
);

requirement('T-26', 'leaves the number of replicas to its autoscaler', STATIC, async ({ lab }) => {
  await expect(autoscalersCanScale(await objectsOf(lab, { set: ['autoscaling.enabled=true'] }))).toHold();
});

requirement('T-27', 'selects its pods by labels that no version changes', STATIC, async ({ lab }) => {
  await expect(selectorsAreStable([(await renderedServer(lab)).object])).toHold();
});

requirement('T-31', 'logs at level info unless asked for another one', STATIC, async ({ lab }) => {
  const value = await logLevelValue(lab);
  const level = async (pair: string): Promise<string | undefined> =>
    logLevelOf((await renderedServer(lab, { set: [pair] })).container);
  // A template may have the default, and not the values.
  if (value === DOCUMENTED_LOG_LEVEL)
    expect(await level(`${value}=`), `RUST_LOG without ${value}`).toBe('info');
  else
    expect(
      logLevelOf((await renderedServer(lab, { onlyChart: true })).container),
      'RUST_LOG by default',
    ).toBe('info');
  expect(await level(`${value}=debug`), `RUST_LOG with ${value} debug`).toBe('debug');
});

requirement('TA-06', 'takes every credential from a Secret', STATIC, async ({ lab, observe }) => {
  const { objects } = await lab.subject();
  const { workload, container } = await renderedServer(lab);
  const names = credentialsOf(container, workload);
  await expect(credentialsAreInSecrets(objects, names)).toHold();
  observe(names.join(', '));
});

requirement(
  'T-56',
  "keeps the pod's fields out of the container's security context, where the API server refuses them",
  STATIC,
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace();
    const { object: server, container } = await renderedServer(lab, { namespace });
    const strict = (object: KubeObject): Promise<unknown> =>
      kube.apply(object, { dryRun: true, strict: true, namespace });
    await expect(
      nothingWrong('the API server accepts the security contexts', await refusalsOf([server], strict)),
    ).toHold();
    const mixed = structuredClone(server);
    const main = podSpecOf(mixed)?.containers.find(({ name }) => name === container.name);
    if (main) main.securityContext = { ...main.securityContext, fsGroup: 2375 };
    const refusals = await refusalsOf([mixed], strict);
    expect(refusals.join(' '), 'refusal of fsGroup in a container').toMatch(/fsGroup/);
    observe(refusals.join(' '));
  },
);

requirement(
  ['TA-26', 'TA-27', 'TA-28'],
  'renders with each of its switches what the API server accepts, and mounts exactly the volumes that it has',
  STATIC,
  async ({ lab, kube, observe }) => {
    const namespace = await lab.namespace();
    const served = new Set((await kube.resources()).map((r) => `${r.apiVersion} ${r.kind}`));
    const switches: [string, readonly string[]][] = [];
    for (const [title, set] of Object.entries(SWITCHES))
      if ((await known(lab, set)).length === set.length) switches.push([title, set]);
    if (switches.length === 0) throw new DoesNotFit('the chart has none of the switches of the documents');
    const wrong = await Promise.all(
      switches.map(async ([title, set]) => {
        const objects = await objectsOrRefusal(lab, { set, namespace });
        if (typeof objects === 'string') return [`with ${title} it does not render: ${objects}`];
        const accepted = objects.filter((o) => served.has(`${o.apiVersion} ${o.kind}`));
        const refusals = await refusalsOf(accepted, (o) =>
          kube.apply(o, { dryRun: true, strict: true, namespace }),
        );
        const { details = [] } = volumesAreMounted([serverIn({ objects, namespace }).object]);
        observe(`with ${title}: ${accepted.length} objects`);
        return [...refusals, ...details].map((text) => `with ${title}: ${text}`);
      }),
    );
    await expect(nothingWrong('it renders valid objects with each switch', wrong.flat())).toHold();
  },
);

/** The objects, or why the chart refuses to render them. */
async function objectsOrRefusal(lab: Lab, options: RenderOptions): Promise<KubeObject[] | string> {
  try {
    return await objectsOf(lab, options);
  } catch (error) {
    const refusal = await lab.refusal(options);
    if (refusal) return refusal.message;
    throw error;
  }
}

function resourceValues(
  at: string,
  { requests, limits }: { requests: Record<string, string>; limits: Record<string, string> },
): string[] {
  return Object.entries({ requests, limits }).flatMap(([kind, list]) =>
    Object.entries(list).map(([name, quantity]) => `${at}.${kind}.${name}=${quantity}`),
  );
}
