/** Lists the images on the nodes of a kind cluster, and loads the missing ones. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { CommandRunner } from '../../harness/core/command.ts';
import { seconds } from '../../harness/core/deadline.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import { notOwnFolder } from '../../harness/core/own-folder.ts';
import { canonicalImageRef } from '../../harness/kube/manifests/image-reference.ts';
import type { ImageIdentity } from '../../harness/kube/cluster/cluster.ts';

const CTR = ['ctr', '--namespace', 'k8s.io', 'images'] as const;

/** Image references on a node, with manifest digests. */
type NodeImageList = Map<string, string>;

export interface LoadDeps {
  run: CommandRunner;
  nodes: readonly string[];
  /** A folder of this machine and its path in the nodes. If it is not our own, archives are passed through standard input. */
  mount: { folder: string; path: string };
  signal?: AbortSignal | undefined;
  onProgress?: ((text: string) => void) | undefined;
}

/** Lists the images that containerd has on a node. */
export async function listNodeImages(
  run: CommandRunner,
  node: string,
  signal?: AbortSignal,
): Promise<NodeImageList> {
  const { stdout } = await run.run('docker', ['exec', node, ...CTR, 'ls'], { signal, timeoutMs: 30_000 });
  const rows = stdout.split('\n').slice(1);
  return new Map(
    rows.flatMap((row): [string, string][] => {
      const [ref, , digest] = row.trim().split(/\s+/);
      return ref === undefined || digest === undefined ? [] : [[ref, digest]];
    }),
  );
}

/**
 * Loads images from the local engine into all nodes that lack them, or that have another image under the same reference. Uses one archive,
 * loads all nodes in parallel, and verifies the result.
 *
 * @returns the loaded images and their nodes; empty when nothing was missing
 * @throws InfrastructureError `E_IMAGE_NOT_LOCAL` when neither the engine nor a node has an image, `E_IMAGE_LOAD` when a node still lacks
 *   an
 *   image afterwards
 */
export async function loadImagesIntoNodes(
  refs: readonly string[],
  deps: LoadDeps,
): Promise<{ loaded: string[]; nodes: string[]; durationMs: number }> {
  const wanted = [...new Set(refs)];
  if (wanted.length === 0) return { loaded: [], nodes: [], durationMs: 0 };
  const [ids, lists] = await Promise.all([localImageIds(wanted, deps), listAll(deps)]);
  const missing = wanted.filter((ref) =>
    [...lists.values()].some((list) => !isCurrent(list, ref, ids.get(ref))),
  );
  const unavailable = missing.filter((ref) => !ids.has(ref));
  if (unavailable.length > 0) {
    throw new InfrastructureError(
      'E_IMAGE_NOT_LOCAL',
      `neither the local engine nor every node has ${unavailable.join(', ')}`,
      {
        hint: 'build or pull the image, or name another one with --image NAME=REF',
        details: { unavailable },
      },
    );
  }
  const targets = deps.nodes.filter((node) => {
    const list = lists.get(node) ?? new Map<string, string>();
    return missing.some((ref) => !isCurrent(list, ref, ids.get(ref)));
  });
  if (targets.length === 0) return { loaded: [], nodes: [], durationMs: 0 };
  const durationMs = await transfer(missing, targets, deps);
  await verify(missing, { ...deps, nodes: targets });
  deps.onProgress?.(`loaded ${missing.length} images into ${targets.length} nodes in ${seconds(durationMs)}`);
  return { loaded: missing, nodes: targets, durationMs };
}

/**
 * Whether the node has the same image under the reference. containerd's CRI plugin also stores every image as `sha256:<config digest>`,
 * which is the engine's image id; both names have the same manifest. A node that shares the engine's store has the id as digest.
 */
function isCurrent(list: NodeImageList, ref: string, localId: string | undefined): boolean {
  const digest = list.get(canonicalImageRef(ref));
  if (digest === undefined) return false;
  return localId === undefined || digest === localId || list.get(localId) === digest;
}

/** The manifests that the nodes have under each reference, and the other names of these images. References that no node has are absent. */
export async function imageIdentities(
  refs: readonly string[],
  deps: Pick<LoadDeps, 'run' | 'nodes' | 'signal'>,
): Promise<Map<string, ImageIdentity>> {
  const lists = [...(await listAll(deps)).values()];
  const identities = refs.flatMap((ref): [string, ImageIdentity][] => {
    const manifests = new Set(lists.flatMap((list) => list.get(canonicalImageRef(ref)) ?? []));
    // containerd's CRI plugin also names every image by the digest of its configuration.
    const names = lists.flatMap((list) =>
      [...list].flatMap(([name, digest]) =>
        name.startsWith('sha256:') && manifests.has(digest) ? [name] : [],
      ),
    );
    return manifests.size === 0
      ? []
      : [[ref, { manifests: [...manifests], ids: [...new Set([...manifests, ...names])] }]];
  });
  return new Map(identities);
}

async function listAll(
  deps: Pick<LoadDeps, 'run' | 'nodes' | 'signal'>,
): Promise<Map<string, NodeImageList>> {
  const lists = deps.nodes.map(
    async (node) => [node, await listNodeImages(deps.run, node, deps.signal)] as const,
  );
  return new Map(await Promise.all(lists));
}

const inspectedSchema = z.object({ Id: z.string(), RepoTags: z.array(z.string()).nullish() });

/** The engine's image ids, for the references that it has. */
async function localImageIds(refs: readonly string[], deps: LoadDeps): Promise<Map<string, string>> {
  const ids = await Promise.all(
    refs.map(async (ref) => {
      const result = await deps.run.run('docker', ['image', 'inspect', '--format', '{{json .}}', ref], {
        reject: false,
        signal: deps.signal,
        timeoutMs: 30_000,
      });
      if (result.exitCode === 0) return [[ref, inspectedSchema.parse(JSON.parse(result.stdout)).Id] as const];
      if (/no such (?:image|object)/i.test(result.stderr)) return [];
      throw new InfrastructureError('E_ENGINE', `the engine cannot inspect ${ref}: ${result.stderr.trim()}`, {
        hint: 'check that the engine answers: docker info',
      });
    }),
  );
  return new Map(ids.flat());
}

/**
 * Saves all images to one archive, with shared layers only once. Every node imports this archive.
 *
 * Measured with a 116 MB image and two nodes on a busy machine: 2.4 s through a mounted folder, 6.1 s through `docker exec -i`. The import
 * without containerd's transfer service (`--local`) is 25 % faster, but older versions of ctr do not have the option.
 */
async function transfer(
  refs: readonly string[],
  targets: readonly string[],
  deps: LoadDeps,
): Promise<number> {
  const { mount, run, signal, onProgress } = deps;
  const mounted = (await notOwnFolder(mount.folder)) === undefined;
  const folder = await mkdtemp(join(mounted ? mount.folder : tmpdir(), '.kindproof-images-'));
  const archive = join(folder, 'images.tar');
  try {
    onProgress?.(`saving ${refs.length} images`);
    const saved = await run.run('docker', ['save', '--output', archive, ...refs], {
      signal,
      timeoutMs: 600_000,
      hint: 'check the free space of the temporary folder: df -h',
    });
    // docker makes it readable only by its owner, who can have another user id in a node.
    await chmod(folder, 0o755);
    await chmod(archive, 0o644);
    onProgress?.(`loading ${refs.length} images into ${targets.length} nodes`);
    const path = mounted ? `${mount.path}/${basename(folder)}/images.tar` : undefined;
    const imports = targets.map((node) => importArchive(node, archive, path, deps));
    const durations = await Promise.all(imports);
    return saved.durationMs + Math.max(...durations);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

// Runs on the node. Exit code 9: the node cannot read the mounted archive.
const IMPORT_MOUNTED = `
[ -r "$1" ] || exit 9
import="ctr --namespace k8s.io images import"
$import --local --discard-unpacked-layers "$1" > /dev/null 2>&1 || $import "$1"
`;

async function importArchive(
  node: string,
  archive: string,
  mountedPath: string | undefined,
  { run, signal }: LoadDeps,
): Promise<number> {
  const options = {
    signal,
    timeoutMs: 600_000,
    hint: "check the free space of the engine's disk: docker system df",
  };
  if (mountedPath !== undefined) {
    const args = ['exec', node, 'sh', '-c', IMPORT_MOUNTED, 'import', mountedPath];
    const result = await run.run('docker', args, { ...options, reject: false });
    if (result.exitCode === 0) return result.durationMs;
  }
  const feed = 'archive=$1; shift; exec docker exec -i "$@" < "$archive"';
  const result = await run.run('sh', ['-c', feed, 'load', archive, node, ...CTR, 'import', '-'], options);
  return result.durationMs;
}

async function verify(refs: readonly string[], deps: LoadDeps): Promise<void> {
  const lists = await listAll(deps);
  const lacking = [...lists].flatMap(([node, list]) =>
    refs.filter((ref) => !list.has(canonicalImageRef(ref))).map((ref) => `${node} lacks ${ref}`),
  );
  if (lacking.length === 0) return;
  throw new InfrastructureError('E_IMAGE_LOAD', `images were not loaded: ${lacking.join('; ')}`, {
    hint: refs.some((ref) => ref.includes('@'))
      ? 'refer to images by tag: an archive does not contain the digest of a reference'
      : "check the free space of the engine's disk: docker system df",
    details: { lacking },
  });
}
