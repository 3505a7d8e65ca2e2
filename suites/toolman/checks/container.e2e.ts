/** The running container as kernel, kubelet and application report it: user, file systems, environment, configuration. */
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import type { Pod } from '../../../harness/kube/api/types.ts';
import { parseQuantity } from '../../../harness/kube/api/quantity.ts';
import { mounts } from '../../../harness/observe/predicates/live/mounts.ts';
import {
  hasNoCapabilities,
  parseEnviron,
  processIdentity,
} from '../../../harness/observe/predicates/live/process.ts';
import { qualityOfService } from '../../../harness/observe/predicates/live/quality-of-service.ts';
import { securityContextIs } from '../../../harness/observe/predicates/rendered/security.ts';
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { DoesNotFit } from '../../../harness/core/errors.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { containerNamed } from '../../../harness/run/suite/release.ts';
import { inShape } from '../../../harness/run/suite/shape.ts';
import { mountFailed } from '../failed-mount.ts';
import { requirement } from '../kit.ts';
import { logLevelValue } from '../log-level.ts';
import { withReplicas } from '../means.ts';
import {
  claimIn,
  configurationOf,
  portOf,
  renderedServer,
  serverIn,
  serviceOf,
  storageOf,
} from '../server.ts';
import { askPod, configuredServers, serverPod, serverPods } from '../server-pods.ts';
import { serversOf } from '../servers-value.ts';

const USER = { uid: 1001, gid: 2375 };
const PORT = 3000;
/** The documented name of the port. */
const PORT_NAME = 'http';

/** Runs for every pod of the server at the same time, with the name of its main container. */
async function inEveryPod(release: Release, look: (pod: Pod, main: string) => Promise<void>): Promise<void> {
  const pods = await serverPods(release);
  const { name } = serverIn(release).container;
  await Promise.all(pods.map((pod) => look(pod, name)));
}

requirement(
  ['T-12', 'TA-01'],
  'has the security contexts of the documents, in the manifest and in the kernel',
  async ({ release }) => {
    await inEveryPod(release, async (pod, main) => {
      await expect(
        securityContextIs(pod, main, {
          runAsNonRoot: true,
          runAsUser: USER.uid,
          runAsGroup: USER.gid,
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
          seccompProfile: { type: 'RuntimeDefault' },
        }),
      ).toHold();
      const status = await release.output(pod, ['cat', '/proc/1/status'], main);
      await expect(processIdentity(status, USER)).toHold();
      await expect(hasNoCapabilities(status)).toHold();
    });
  },
);

requirement(
  ['T-13', 'T-08'],
  'cannot write to its root file system, but to /tmp and /data',
  async ({ release, observe }) => {
    await inEveryPod(release, async (pod, main) => {
      const { name } = pod.metadata;
      const { stderr } = await release.exec(pod, ['touch', '/kindproof'], main);
      // A refusal for its user would prove nothing about the file system.
      expect(stderr, `writing to / in ${name}`).toMatch(/read-only file system/i);
      for (const folder of ['/tmp', '/data']) {
        const file = `${folder}/.kindproof-${name}`;
        const written = await release.exec(pod, ['sh', '-c', `touch ${file} && rm ${file}`], main);
        expect(written.stderr, `writing to ${folder} in ${name}`).toBe('');
        expect(written.exitCode, `exit code of writing to ${folder} in ${name}`).toBe(0);
      }
      observe(`${name}: ${stderr.trim()}`);
    });
  },
);

requirement('T-06', 'has folders in /data that belong to 1001:2375', async ({ release, observe }) => {
  await inEveryPod(release, async (pod, main) => {
    const folders = ['/data', '/data/projects'];
    const owners = await release.output(pod, ['stat', '-c', '%u:%g', ...folders], main);
    const wanted = `${USER.uid}:${USER.gid}`;
    expect(owners.trim().split('\n'), `owners of ${folders.join(' and ')} in ${pod.metadata.name}`).toEqual([
      wanted,
      wanted,
    ]);
    observe(`${pod.metadata.name}: ${wanted}`);
  });
});

requirement(
  ['T-32', 'T-43'],
  'has mounts of their own at /config, /data and /tmp, of which /config is read-only',
  async ({ release, observe }) => {
    const { size: wanted } = storageOf(claimIn(release));
    await inEveryPod(release, async (pod, main) => {
      const table = await release.output(pod, ['cat', '/proc/1/mounts'], main);
      await expect(
        mounts(table, [
          { path: '/config', readOnly: true },
          { path: '/data', readOnly: false },
          { path: '/tmp', readOnly: false },
        ]),
      ).toHold();
      const { stderr } = await release.exec(pod, ['touch', '/config/kindproof'], main);
      expect(stderr, `writing to /config in ${pod.metadata.name}`).toMatch(/read-only file system/i);
      // df names one of several mounts of the same file system, which need not be this one.
      const blocks = await release.output(pod, ['stat', '-f', '-c', '%S %b', '/data'], main);
      const [size = 0, count = 0] = blocks.trim().split(' ').map(Number);
      if (wanted !== undefined) {
        const what = `bytes of /data in ${pod.metadata.name}, of which ${wanted} are claimed`;
        expect(size * count, what).toBeGreaterThanOrEqual(parseQuantity(wanted));
      }
      observe(`${pod.metadata.name}: /data has ${Math.round((size * count) / 2 ** 20)} MiB`);
    });
  },
);

requirement(
  'T-14',
  'starts with PORT=3000, PROJECT_DIR=/data/projects, RUST_LOG and the folder of its configuration, and listens on PORT',
  async ({ lab, release, observe }) => {
    await inEveryPod(release, async (pod, main) => {
      const { name } = pod.metadata;
      const environ = parseEnviron(await release.output(pod, ['cat', '/proc/1/environ'], main));
      expect(environ.get('PORT'), `PORT in ${name}`).toBe(String(PORT));
      expect(environ.get('PROJECT_DIR'), `PROJECT_DIR in ${name}`).toBe('/data/projects');
      expect(environ.get('RUST_LOG') ?? '', `RUST_LOG in ${name}`).not.toBe('');
      const isRead =
        environ.get('SYSTEM_CONFIG_PATH') === '/config' ||
        (await argumentsOf(release, pod, main)).includes('/config');
      expect(isRead, `whether ${name} reads /config: by SYSTEM_CONFIG_PATH or --project-dir`).toBe(true);
      const { status } = await askPod(lab, release, pod, '/health', Number(environ.get('PORT')));
      expect(status, `GET /health on PORT of ${name}`).toBe(200);
      observe(`${name}: RUST_LOG=${environ.get('RUST_LOG') ?? ''}`);
    });
  },
);

async function argumentsOf(release: Release, pod: Pod, main: string): Promise<string[]> {
  return (await release.output(pod, ['cat', '/proc/1/cmdline'], main)).split('\0');
}

requirement(
  ['T-30', 'TA-01'],
  'listens on port 3000, which its probes and its Service address by its name',
  async ({ lab, release, observe }) => {
    const server = serverIn(release);
    const { number, name } = portOf(server);
    expect(number, `port of container ${server.container.name}`).toBe(PORT);
    expect(name ?? '', `name of port ${PORT}`).not.toBe('');
    const pods = await serverPods(release);
    for (const pod of pods) {
      const title = pod.metadata.name;
      const container = containerNamed(pod.spec, server.container.name, title);
      for (const probe of ['livenessProbe', 'readinessProbe'] as const)
        expect(container[probe]?.httpGet?.port, `port of the ${probe} in ${title}`).toBe(name);
      const { status } = await askPod(lab, release, pod, '/health');
      expect(status, `GET /health on port ${PORT} of ${title}`).toBe(200);
    }
    const { metadata, spec } = serviceOf(release);
    expect(
      (spec.ports ?? []).map(({ targetPort }) => targetPort),
      `target ports of Service ${metadata.name}`,
    ).toContain(name);
    observe(`${pods.length} pods listen on ${PORT}, by the name ${name ?? ''}`);
  },
);

requirement(
  'T-30',
  'calls its port http',
  { release: 'none', static: true, names: true },
  async ({ lab }) => {
    const { container } = await renderedServer(lab);
    const names = (container.ports ?? []).map(({ name }) => name);
    expect(names, `names of the ports of container ${container.name}`).toContain(PORT_NAME);
  },
);

requirement(
  'T-16',
  'has configured as many tool servers as its ConfigMap has',
  async ({ lab, release, kube, observe }) => {
    const { namespace } = serverIn(release);
    const { name, key } = configurationOf(release);
    const text = (await kube.get('ConfigMap', { name, namespace }))?.data?.[key];
    if (text === undefined) throw new DoesNotFit(`ConfigMap ${name} has no key ${key}`);
    const wanted = Object.keys(serversOf(text, `${key} of ConfigMap ${name}`)).length;
    for (const pod of await serverPods(release)) {
      const count = await configuredServers(lab, release, pod);
      expect(count, `servers that ${pod.metadata.name} has configured`).toBe(wanted);
      observe(`${pod.metadata.name}: ${count} servers`);
    }
  },
);

const resourceValues = z.looseObject({
  requests: z.record(z.string(), z.coerce.string()).exactOptional(),
  limits: z.record(z.string(), z.coerce.string()).exactOptional(),
});

requirement('T-24', 'has the quality of service that its values imply', async ({ release, lab, observe }) => {
  const values = await lab.helm.getValues(
    { releaseName: release.name, namespace: release.namespace },
    { all: true },
  );
  if (values['resources'] === undefined) throw new DoesNotFit('the chart has no value resources');
  const resources = inShape(resourceValues, values['resources'], 'the value resources');
  const main = serverIn(release).container.name;
  for (const pod of await serverPods(release)) {
    // The documents have one value for resources: that of the main container.
    const containers = pod.spec.containers.map((container) =>
      container.name === main ? { ...container, resources } : container,
    );
    const wanted = qualityOfService({ ...pod.spec, containers });
    expect(pod.status?.qosClass, `quality of service of ${pod.metadata.name}`).toBe(wanted);
    observe(`${pod.metadata.name}: ${wanted}`);
  }
});

requirement(
  'T-29',
  'runs as 1001:2375 with fsGroup 2375, which owns its temporary folder',
  async ({ release, observe }) => {
    await inEveryPod(release, async (pod, main) => {
      expect(pod.spec.securityContext, `securityContext of ${pod.metadata.name}`).toMatchObject({
        runAsUser: 1001,
        runAsGroup: 2375,
        fsGroup: 2375,
      });
      const group = (await release.output(pod, ['stat', '-c', '%g', '/tmp'], main)).trim();
      expect(group, `group of /tmp in ${pod.metadata.name}`).toBe('2375');
      observe(`${pod.metadata.name}: /tmp belongs to group ${group}`);
    });
  },
);

requirement(
  'T-36',
  'has nothing but its configuration in the folder of that',
  async ({ release, observe }) => {
    const { file } = configurationOf(release);
    const folder = dirname(file);
    await inEveryPod(release, async (pod, main) => {
      const files = (await release.output(pod, ['ls', folder], main)).trim().split(/\s+/);
      expect(files, `files in ${folder} of ${pod.metadata.name}`).toEqual([basename(file)]);
      observe(`${pod.metadata.name}: ${files.join(', ')}`);
    });
  },
);

requirement(
  'T-36',
  'does not start when its ConfigMap lacks the key, and FailedMount names it',
  { release: 'none', disruptive: true },
  async ({ lab, observe }) => {
    const server = await renderedServer(lab);
    const { name, key } = configurationOf(server.rendered);
    const release = await lab.install({
      patches: [
        ...withReplicas(server, 1),
        { target: { kind: 'ConfigMap', name }, ops: [{ op: 'remove', path: `/data/${key}` }] },
      ],
      rollout: false,
    });
    const message = await mountFailed(release, 'non-existent config key');
    expect(message, 'the event FailedMount').toContain(key);
    observe(message);
  },
);

const COMPLAINT = /\b(ERROR|FATAL|panic(ked)?)\b/;

requirement(
  'T-41',
  'has a log, in which no container reports an error',
  async ({ release, kube, observe }) => {
    const { namespace } = serverIn(release);
    const complaints: string[] = [];
    for (const pod of await serverPods(release)) {
      const { name } = pod.metadata;
      const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map((c) => c.name);
      let lines = 0;
      for (const container of containers) {
        const text = (await kube.logs({ namespace, pod: name, container })) ?? '';
        const log = text.split('\n').filter((line) => line.trim() !== '');
        lines += log.length;
        complaints.push(
          ...log.filter((line) => COMPLAINT.test(line)).map((line) => `${name}/${container}: ${line.trim()}`),
        );
      }
      expect(lines, `lines in the logs of ${name}`).toBeGreaterThan(0);
      observe(`${name}: ${lines} lines of ${containers.length} containers`);
    }
    await expect(nothingWrong('no log reports an error', complaints)).toHold();
  },
);

requirement(
  'T-31',
  'logs more at level debug than at level info',
  { release: 'none', disruptive: true },
  async ({ lab, kube, observe }) => {
    const server = await renderedServer(lab);
    const set = [`${await logLevelValue(lab)}=debug`];
    const release = await lab.install({ set, patches: withReplicas(server, 1) });
    const pod = await serverPod(release);
    const { name } = pod.metadata;
    const { namespace, container } = serverIn(release);
    const environ = parseEnviron(await release.output(pod, ['cat', '/proc/1/environ'], container.name));
    expect(environ.get('RUST_LOG'), `RUST_LOG in ${name}`).toBe('debug');
    await askPod(lab, release, pod, '/health');
    const text = (await kube.logs({ namespace, pod: name, container: container.name })) ?? '';
    const lines = text.split('\n').filter((line) => /\bDEBUG\b/.test(line));
    expect(lines.length, `DEBUG lines in the log of ${name}`).toBeGreaterThan(0);
    observe(`${lines.length} DEBUG lines`);
  },
);
