/** Registry, fault proxy and engine, with the images and the chart that the cases use. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandRunner } from '../../harness/core/command.ts';
import { systemClock, type Clock } from '../../harness/core/deadline.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import { projectRoot } from '../project.ts';
import { startEngine } from './engine.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { startRegistry } from './registry.ts';

/** What docker.io has: images of these names. */
export const APP = 'docker.io/me/app:1';
const NODE = 'docker.io/kindest/node:v1.37.0';
const SERVICE = 'docker.io/pgvector/pgvector:pg17';
const BUSYBOX = 'docker.io/library/busybox:1.35.0';
/** What ghcr.io has, and the fault proxy under its own address. */
export const CHART = 'me/charts/toolman';

export interface RegistryPath {
  /** Programs of this machine, against the private engine. */
  run: CommandRunner;
  proxy: FaultProxy;
  /** Temporary. */
  folder: string;
  helm: string;
  /** `docker.io/kindest/node:…@sha256:…` */
  node: string;
  /** Digest of the manifest. */
  app: string;
  chart: { version: string; digest: string };
  /** Waits are 20 times shorter; limits as well. */
  fastClock: Clock;
  signal: AbortSignal;
  /** Builds an image and pushes it under its name, which the engine then lacks. Returns the digest of the manifest. */
  publish: (ref: string, context: string) => Promise<string>;
  /** Leaves no image and no cache in the engine. */
  forgetImages: () => Promise<void>;
  stop: () => Promise<void>;
}

/** @throws InfrastructureError `E_REGISTRY_PATH` when a program does not start; everything is stopped then */
export async function startRegistryPath(
  programs: { registry: string; helm: string },
  command: CommandRunner,
  signal: AbortSignal,
): Promise<RegistryPath> {
  const folder = await mkdtemp(join(tmpdir(), 'kindproof-registry-path-'));
  const stops: (() => Promise<unknown>)[] = [() => removeFolder(folder)];
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).reverse()) await step();
  };
  const subfolder = async (name: string): Promise<string> => {
    await mkdir(join(folder, name), { recursive: true });
    return join(folder, name);
  };
  try {
    const registry = await startRegistry(programs.registry, await subfolder('registry'), signal);
    stops.push(registry.stop);
    const proxy = await startFaultProxy(registry.host, await subfolder('proxy'), command);
    stops.push(proxy.stop);
    const engine = await startEngine(await subfolder('engine'), proxy, command, signal);
    stops.push(engine.stop);
    const docker = (...args: string[]) => engine.run.run('docker', args, { signal });
    const forgetImages = async (): Promise<void> => {
      await docker('image', 'prune', '--all', '--force');
      await docker('builder', 'prune', '--all', '--force');
    };
    const publish = async (ref: string, context: string): Promise<string> => {
      const pushed = `${registry.host}/${ref.replace(/^docker\.io\//, '')}`;
      await docker('build', '--network=host', '--tag', pushed, context);
      const { stdout } = await docker('push', pushed);
      return digestIn(stdout);
    };
    const app = await publish(APP, await smallImage(await subfolder('app'), 'app'));
    const node = await publish(NODE, await smallImage(await subfolder('node'), 'node'));
    await publish(SERVICE, await smallImage(await subfolder('service'), 'service'));
    await publish(BUSYBOX, await smallImage(await subfolder('busybox'), 'busybox'));
    const chart = await publishChart(programs.helm, registry.host, await subfolder('chart'), command);
    await forgetImages();
    return {
      ...{ run: engine.run, proxy, folder, helm: programs.helm, node: `${NODE}@${node}`, app, chart, signal },
      ...{ publish, forgetImages, stop, fastClock: fastClock() },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A build context with content that no other image has, large enough to be cut. */
async function smallImage(folder: string, name: string): Promise<string> {
  await writeFile(join(folder, 'content'), randomBytes(4096));
  await writeFile(join(folder, 'Dockerfile'), `FROM scratch\nCOPY content /\nLABEL test=${name}\n`);
  return folder;
}

async function publishChart(
  helm: string,
  host: string,
  folder: string,
  command: CommandRunner,
): Promise<{ version: string; digest: string }> {
  const env = Object.fromEntries(
    ['CACHE', 'CONFIG', 'DATA'].map((name) => [`HELM_${name}_HOME`, join(folder, name)]),
  );
  const chart = join(projectRoot, 'fixtures', 'charts', 'toolman');
  await command.run(helm, ['package', chart, '--destination', folder], { env });
  const file = (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '';
  const repository = `oci://${host}/${CHART.replace(/\/[^/]+$/, '')}`;
  const pushed = await command.run(helm, ['push', join(folder, file), repository, '--plain-http'], { env });
  const version = /-(\d.*)\.tgz$/.exec(file)?.[1] ?? '';
  return { version, digest: digestIn(`${pushed.stdout}${pushed.stderr}`) };
}

function digestIn(output: string): string {
  const [digest] = /sha256:[0-9a-f]{64}/.exec(output.slice(output.search(/digest:/i))) ?? [];
  if (digest !== undefined) return digest;
  throw new InfrastructureError('E_REGISTRY_PATH', `nothing was pushed: ${output.slice(-500)}`);
}

function fastClock(): Clock {
  return { now: () => systemClock.now(), sleep: (ms, signal) => systemClock.sleep(ms / 20, signal) };
}

/** Processes of the engine may still write while they end. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
