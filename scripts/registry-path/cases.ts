/** What can happen between kindproof and a registry, and how kindproof has to react. */
import { chmod, copyFile, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { busyboxImage, toolmanImage } from '../../fixtures/images/build.ts';
import { unpackDebianPackages } from '../../fixtures/images/debian-packages.ts';
import { gpuDevicePluginImage } from '../../fixtures/images/gpu-device-plugin.ts';
import { agentImage } from '../../fixtures/images/k8s-mcp-agent.ts';
import { postgresImage } from '../../fixtures/images/postgres.ts';
import { createPythonBase } from '../../fixtures/images/python-base.ts';
import { planImages, prepareImages } from '../../harness/host/images/plan-images.ts';
import { silentLog } from '../../harness/core/log.ts';
import { buildContext, prepareApplication, prepareChart, prepareNode, prepareRecipe } from './acts.ts';
import type { FaultKind } from './fault-proxy.ts';
import { APP, CHART, type RegistryPath } from './registry-path.ts';

export interface Case {
  /** For `--only`; kebab-case. */
  id: string;
  title: string;
  /** `none` is a registry in order; with a number, only so many requests fail. */
  fault: FaultKind | 'none' | readonly [FaultKind, number];
  act: (path: RegistryPath) => Promise<unknown>;
  /** All of them match the outcome: what `act` returns, or `CODE, exit N: message (hint)`. */
  outcome: readonly RegExp[];
  /** How many times docker or helm was asked to pull. */
  pulls?: number;
  /** Part of `npm test`. */
  quick?: boolean;
}

const REFUSED = [/^E_IMAGE_REFUSED, exit 3: /, /no basic auth credentials/, /docker login/];
const BUILT = /^built from packages; .*not pulled: /;

const APPLICATION: Case[] = [
  {
    id: 'image-fine',
    title: 'application image: delivered, with the digest of its manifest',
    fault: 'none',
    act: async (path) => (await prepareApplication(path, APP)).replace(path.app, 'THE DIGEST'),
    outcome: [/^pulled THE DIGEST$/],
    pulls: 1,
    quick: true,
  },
  {
    id: 'image-401',
    title: 'application image: 401',
    fault: 'unauthorized',
    act: (path) => prepareApplication(path, APP),
    outcome: REFUSED,
    pulls: 1,
    quick: true,
  },
  {
    id: 'image-401-existing',
    title: 'application image: 401, on an existing cluster, which pulls by itself',
    fault: 'unauthorized',
    act: (path) => prepareApplication(path, APP, { isExisting: true }),
    outcome: [/^unavailable; image .* is unavailable: .*no basic auth credentials \(.*docker login/],
    pulls: 1,
  },
  {
    id: 'image-404',
    title: 'application image: 404; the checks report it',
    fault: 'not-found',
    act: (path) => prepareApplication(path, APP),
    outcome: [/^unavailable; image .* is unavailable: manifest unknown \(Check name and tag/],
    pulls: 1,
    quick: true,
  },
  {
    id: 'image-no-tag',
    title: 'application image: no such tag',
    fault: 'none',
    act: (path) => prepareApplication(path, APP.replace(':1', ':2')),
    outcome: [/^unavailable; .*not found: manifest unknown/],
    pulls: 1,
  },
  {
    id: 'image-429',
    title: 'application image: 429 with Retry-After, every time',
    fault: 'too-many-requests',
    act: (path) => prepareApplication(path, APP),
    outcome: [/^E_IMAGE_PULL, exit 3: .*toomanyrequests/, /docker login docker\.io/],
    pulls: 3,
  },
  {
    id: 'image-503-once',
    title: 'application image: 503 in the first attempt',
    // dockerd asks three times in one attempt.
    fault: ['server-error', 3],
    act: (path) => prepareApplication(path, APP),
    outcome: [/^pulled sha256/],
    pulls: 2,
    quick: true,
  },
  {
    id: 'image-503',
    title: 'application image: 503, every time',
    fault: 'server-error',
    act: (path) => prepareApplication(path, APP),
    outcome: [/^E_IMAGE_PULL, exit 3: .*503 Service Unavailable/, /later/],
    pulls: 3,
  },
  {
    id: 'image-cut-once',
    title: 'application image: the connection is cut in a blob, once',
    fault: ['cut', 1],
    act: (path) => prepareApplication(path, APP),
    outcome: [/^pulled sha256/],
    quick: true,
  },
  {
    id: 'image-cut',
    title: 'application image: the connection is cut in a blob, every time',
    fault: 'cut',
    act: (path) => prepareApplication(path, APP),
    outcome: [/^E_IMAGE_PULL, exit 3: .*EOF/],
    pulls: 3,
  },
  {
    id: 'image-corrupt',
    title: 'application image: a blob with another digest',
    fault: 'corrupt-blob',
    act: (path) => prepareApplication(path, APP),
    outcome: [/^E_IMAGE_CORRUPT, exit 3: .*verification failed for digest/, /Do not use/],
    pulls: 1,
    quick: true,
  },
  {
    id: 'image-slow',
    title: 'application image: bytes trickle',
    fault: 'slow',
    act: (path) => prepareApplication(path, APP),
    outcome: [/^pulled sha256/],
    pulls: 1,
  },
  {
    id: 'image-too-slow',
    title: 'application image: bytes trickle beyond the limit',
    fault: 'slow',
    act: async ({ run, signal }) => {
      const plan = planImages({ rendered: [], recipes: [], always: [APP] });
      const deps = { run, signal, log: silentLog, onProgress: () => {} };
      const limits = { firstAnswerMs: 20_000, totalMs: 3000 };
      const [image] = await prepareImages(plan, { ...deps, pullLimits: limits });
      return `${image?.failure?.problem ?? ''}: ${image?.failure?.reason ?? ''}`;
    },
    outcome: [/^unreachable: the pull did not end within 3 s$/],
    pulls: 1,
  },
  {
    id: 'image-silent',
    title: 'application image: the registry never answers',
    fault: 'silent',
    act: (path) => prepareApplication(path, APP),
    outcome: [/^E_IMAGE_PULL, exit 3: .*did not answer within 20 s/, /network, proxy and DNS/],
    pulls: 1,
    quick: true,
  },
  {
    id: 'image-no-dns',
    title: 'application image: the name of the registry does not resolve',
    fault: 'none',
    act: (path) => prepareApplication(path, 'registry.invalid/me/app:1'),
    outcome: [
      /^E_IMAGE_PULL, exit 3: .*(?:no such host|misbehaving|name resolution|i\/o timeout|did not answer)/,
    ],
    pulls: 1,
  },
  {
    id: 'image-login-page',
    title: 'application image: the network answers with its login page',
    fault: 'login-page',
    act: (path) => prepareApplication(path, APP),
    outcome: [/^E_IMAGE_PULL, exit 3: /, /network, proxy and DNS/],
    pulls: 1,
  },
  {
    id: 'image-plain',
    title: 'application image: TLS to a plain port',
    fault: 'plain-http',
    act: (path) => prepareApplication(path, APP),
    outcome: [/^E_IMAGE_PULL, exit 3: .*HTTP response to HTTPS client/],
    pulls: 1,
    quick: true,
  },
];

const NODE: Case[] = [
  {
    id: 'node-fine',
    title: 'node image: delivered',
    fault: 'none',
    act: async (path) => (await prepareNode(path)).replace(path.node, 'PUBLISHED'),
    outcome: [/^PUBLISHED sha256:[0-9a-f]{64}$/],
    pulls: 1,
    quick: true,
  },
  {
    id: 'node-401',
    title: 'node image: 401; not built instead',
    fault: 'unauthorized',
    act: (path) => prepareNode(path),
    outcome: [...REFUSED, /--kubernetes v/],
    pulls: 1,
    quick: true,
  },
  {
    id: 'node-corrupt',
    title: 'node image: a manifest with another digest; not built instead',
    fault: 'corrupt-manifest',
    act: (path) => prepareNode(path),
    outcome: [/^E_IMAGE_CORRUPT, exit 3: .*verification failed for digest/],
    pulls: 1,
    quick: true,
  },
  {
    id: 'node-404',
    title: 'node image: the mirror does not have it; built',
    fault: 'not-found',
    act: (path) => prepareNode(path),
    outcome: [BUILT, /manifest unknown/],
    pulls: 1,
    quick: true,
  },
  {
    id: 'node-other-digest',
    title: 'node image: the tag is there with another digest; built',
    fault: 'none',
    act: (path) => prepareNode(path, path.node.replace(/sha256:.*/, `sha256:${'0'.repeat(64)}`)),
    outcome: [BUILT, /manifest unknown/],
    pulls: 1,
  },
  {
    id: 'node-429',
    title: 'node image: 429, every time; built',
    fault: 'too-many-requests',
    act: (path) => prepareNode(path),
    outcome: [BUILT, /toomanyrequests/],
    pulls: 3,
  },
  {
    id: 'node-cut',
    title: 'node image: cut, every time; built',
    fault: 'cut',
    act: (path) => prepareNode(path),
    outcome: [BUILT, /EOF/],
    pulls: 3,
  },
  {
    id: 'node-silent',
    title: 'node image: no registry answers; built',
    fault: 'silent',
    act: (path) => prepareNode(path),
    outcome: [BUILT, /did not answer within 10 s/],
    pulls: 1,
    quick: true,
  },
];

const SERVICES: Case[] = [
  {
    id: 'service-fine',
    title: 'service image (PostgreSQL): delivered',
    fault: 'none',
    act: (path) => prepareRecipe(path, postgresImage),
    outcome: [/^pulled {2}sha256/],
    pulls: 1,
    quick: true,
  },
  {
    id: 'service-401',
    title: 'service image: 401; not built instead',
    fault: 'unauthorized',
    act: (path) => prepareRecipe(path, postgresImage),
    outcome: REFUSED,
    pulls: 1,
  },
  {
    id: 'service-corrupt',
    title: 'service image: a blob with another digest; not built instead',
    fault: 'corrupt-blob',
    act: (path) => prepareRecipe(path, postgresImage),
    outcome: [/^E_IMAGE_CORRUPT, exit 3/],
    pulls: 1,
  },
  {
    id: 'service-404',
    title: 'service image: 404 on a machine that cannot build it',
    fault: 'not-found',
    act: (path) => fromRegistry(() => prepareRecipe(path, postgresImage)),
    outcome: [/^E_IMAGE_BUILD, exit 3: .*cannot be pulled: manifest unknown/],
    pulls: 1,
  },
];

const BASES: Case[] = [
  {
    id: 'base-busybox',
    title: 'Dockerfile.registry of busybox',
    fault: 'none',
    act: (path) => fromRegistry(() => prepareRecipe(path, busyboxImage)),
    outcome: [/^built stand-in/],
    quick: true,
  },
  {
    id: 'base-401',
    title: 'Dockerfile.registry: 401 for its base image',
    fault: 'unauthorized',
    act: (path) => fromRegistry(() => prepareRecipe(path, busyboxImage)),
    outcome: [
      /^E_IMAGE_BUILD, exit 3: .*base image cannot be pulled: .*(?:401|authorization|unauthorized)/i,
      /docker login/,
    ],
    quick: true,
  },
  {
    id: 'base-404',
    title: 'Dockerfile.registry: 404 for its base image',
    fault: 'not-found',
    act: (path) => fromRegistry(() => prepareRecipe(path, busyboxImage)),
    outcome: [/^E_IMAGE_BUILD, exit 3: .*base image cannot be pulled: .*not found/],
  },
  {
    id: 'base-503',
    title: 'Dockerfile.registry: 503 for its base image, at first',
    fault: ['server-error', 2],
    act: (path) => fromRegistry(() => prepareRecipe(path, busyboxImage)),
    outcome: [/^built stand-in/],
  },
  {
    id: 'base-all',
    title:
      'Dockerfile.registry of toolman, k8s-mcp-agent, gpu-device-plugin and the Python base, on base images with these commands',
    fault: 'none',
    act: async (path) => {
      await publishBases(path);
      return fromRegistry(async () => {
        const built: string[] = [];
        for (const recipe of [toolmanImage, agentImage, gpuDevicePluginImage]) {
          built.push(await prepareRecipe(path, recipe));
        }
        const python = await createPythonBase()(await buildContext(path));
        return [...built, python].join('; ');
      });
    },
    outcome: [/^(?:built stand-in ; ){3}kindproof\/tool-registry-python:/],
  },
];

const FROM_PROXY = ({ proxy }: RegistryPath): string => `oci://${proxy.host}/${CHART}`;

const CHARTS: Case[] = [
  {
    id: 'chart-fine',
    title: 'chart: a version',
    fault: 'none',
    act: async (path) =>
      (await prepareChart(path, FROM_PROXY(path), path.chart.version)).replace(
        path.chart.digest,
        'THE DIGEST',
      ),
    outcome: [/^oci:\/\/127\.0\.0\.1:\d+\/me\/charts\/toolman 1\.0\.0 THE DIGEST, \d+ objects$/],
    pulls: 1,
    quick: true,
  },
  {
    id: 'chart-newest',
    title: 'chart: without a version',
    fault: 'none',
    act: (path) => prepareChart(path, FROM_PROXY(path)),
    outcome: [/ 1\.0\.0 sha256:\w+, \d+ objects; chart .* testing version 1\.0\.0 \(sha256/],
    pulls: 1,
  },
  {
    id: 'chart-no-version',
    title: 'chart: no such version',
    fault: 'none',
    act: (path) => prepareChart(path, FROM_PROXY(path), '9.9.9'),
    outcome: [/^E_CHART, exit 2: .*9\.9\.9 does not exist: .*not found/, /--chart-version/],
    pulls: 1,
    quick: true,
  },
  {
    id: 'chart-no-repository',
    title: 'chart: no such repository',
    fault: 'none',
    act: (path) => prepareChart(path, `${FROM_PROXY(path)}-x`),
    outcome: [/^E_CHART, exit 2: .*does not exist/],
    pulls: 1,
  },
  {
    id: 'chart-is-image',
    title: 'chart: the reference is that of an image',
    fault: 'none',
    act: (path) => prepareChart(path, `oci://${path.proxy.host}/me/app`, '1'),
    outcome: [/^E_CHART, exit 2: .*is not a chart/],
    pulls: 1,
    quick: true,
  },
  {
    id: 'chart-401',
    title: 'chart: 401',
    fault: 'unauthorized',
    act: (path) => prepareChart(path, FROM_PROXY(path), '1.0.0'),
    outcome: [/^E_CHART, exit 2: .*is refused by its registry/, /helm registry login 127/],
    pulls: 1,
    quick: true,
  },
  {
    id: 'chart-429',
    title: 'chart: 429, every time',
    fault: 'too-many-requests',
    act: (path) => prepareChart(path, FROM_PROXY(path), '1.0.0'),
    outcome: [/^E_CHART_PULL, exit 3: .*429/],
    pulls: 3,
  },
  {
    id: 'chart-503-once',
    title: 'chart: 503, once',
    fault: ['server-error', 1],
    act: (path) => prepareChart(path, FROM_PROXY(path), '1.0.0'),
    outcome: [/ 1\.0\.0 sha256/],
    quick: true,
  },
  {
    id: 'chart-cut',
    title: 'chart: the connection is cut in a blob, every time',
    fault: 'cut',
    act: (path) => prepareChart(path, FROM_PROXY(path), '1.0.0'),
    outcome: [/^E_CHART_PULL, exit 3: .*EOF/],
    pulls: 3,
  },
  {
    id: 'chart-corrupt',
    title: 'chart: a blob with another digest',
    fault: 'corrupt-blob',
    act: (path) => prepareChart(path, FROM_PROXY(path), '1.0.0'),
    outcome: [/^E_CHART_CORRUPT, exit 3: /],
    pulls: 1,
    quick: true,
  },
  {
    id: 'chart-no-dns',
    title: 'chart: the name of the registry does not resolve',
    fault: 'none',
    act: (path) => prepareChart(path, 'oci://registry.invalid/me/charts/toolman', '1.0.0'),
    outcome: [/^E_CHART_PULL, exit 3: .*registry\.invalid/, /network, proxy and DNS/],
    pulls: 1,
  },
  {
    id: 'chart-login-page',
    title: 'chart: the network answers with its login page',
    fault: 'login-page',
    act: (path) => prepareChart(path, FROM_PROXY(path), '1.0.0'),
    outcome: [/^E_CHART_PULL, exit 3: /, /network, proxy and DNS/],
    pulls: 1,
  },
  {
    id: 'chart-plain',
    title: 'chart: TLS to a plain port',
    fault: 'plain-http',
    act: (path) => {
      const { run } = path;
      const env = {
        HTTPS_PROXY: `http://${path.proxy.host}`,
        NO_PROXY: '',
        SSL_CERT_FILE: path.proxy.certificate,
      };
      const throughProxy: RegistryPath['run'] = {
        run: (file, args, options) => run.run(file, args, { ...options, env: { ...options?.env, ...env } }),
      };
      return prepareChart({ ...path, run: throughProxy }, `oci://ghcr.io/${CHART}`, '1.0.0');
    },
    // helm goes on with plain HTTP, and finds no host.
    outcome: [/^E_CHART_PULL, exit 3: /],
    pulls: 1,
  },
];

export const CASES: readonly Case[] = [...APPLICATION, ...NODE, ...SERVICES, ...BASES, ...CHARTS];

/** As on a machine without apt and Go. */
async function fromRegistry<T>(act: () => Promise<T>): Promise<T> {
  const before = process.env['KINDPROOF_IMAGE_BASE'];
  process.env['KINDPROOF_IMAGE_BASE'] = 'registry';
  try {
    return await act();
  } finally {
    if (before === undefined) delete process.env['KINDPROOF_IMAGE_BASE'];
    else process.env['KINDPROOF_IMAGE_BASE'] = before;
  }
}

/** The commands of the base images that busybox lacks. Those of compilers leave the files that the next steps copy. */
const COMMANDS = {
  groupadd: '',
  install: '',
  useradd: '',
  go: 'while [ $# -gt 0 ]; do [ "$1" = -o ] && mkdir -p "$(dirname "$2")" && echo program >"$2"; shift; done',
  pip: 'mkdir -p /opt/site-packages',
  python3: '',
};

/**
 * Publishes a small image under the names of all base images: busybox from its package with the commands that the Dockerfiles run. The real
 * base images are not available without the internet.
 */
async function publishBases(path: RegistryPath): Promise<void> {
  const context = await mkdtemp(join(path.folder, 'base-'));
  const rootfs = join(context, 'rootfs');
  await mkdir(join(rootfs, 'bin'), { recursive: true });
  await mkdir(join(rootfs, 'tmp'));
  for (const [name, script] of Object.entries(COMMANDS)) {
    await writeFile(join(rootfs, 'bin', name), `#!/bin/busybox sh\n${script}\n`);
    await chmod(join(rootfs, 'bin', name), 0o755);
  }
  const debian = await unpackDebianPackages(await buildContext(path), ['busybox-static']);
  await copyFile(join(debian, 'bin', 'busybox'), join(rootfs, 'bin', 'busybox'));
  const applets = ['sh', 'rm', 'mkdir', 'dirname', 'echo', 'sleep'];
  const links = applets.map((name) => `/bin/busybox ln -s busybox /bin/${name}`).join(' && ');
  await writeFile(
    join(context, 'Dockerfile'),
    `FROM scratch\nCOPY rootfs/ /\nENV PATH=/bin\nRUN ["/bin/busybox", "sh", "-c", "${links}"]\n`,
  );
  for (const ref of ['node:22-slim', 'golang:1.26', 'busybox:1.35.0-musl', 'python:3.13-slim']) {
    await path.publish(`docker.io/library/${ref}`, context);
  }
  await path.forgetImages();
}
