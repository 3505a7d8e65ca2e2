/** Images on the nodes of a kind cluster: what is there, and how the rest gets there. */
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { CommandRunner } from '../../harness/core/command.ts';
import { seconds } from '../../harness/core/deadline.ts';
import { InfrastructureError } from '../../harness/core/errors.ts';
import { canonicalImageRef } from './image-ref.ts';

const CTR = ['ctr', '--namespace', 'k8s.io', 'images'] as const;

/** References on a node, each with the digest of its manifest. */
export type NodeImageList = Map<string, string>;

export interface LoadDeps {
  run: CommandRunner;
  nodes: readonly string[];
  /** A folder of this machine that all nodes mount, and where they do; absent or invisible: archives go through standard input. */
  mount?: { folder: string; path: string } | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((text: string) => void) | undefined;
}

/** Lists what containerd has on a node, by reference. */
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
 * Brings images of the local engine to all nodes that lack them, or have another image under the same reference: one archive, all
 * nodes at the same time, verified afterwards.
 *
 * @returns what was loaded where; empty when nothing was missing
 * @throws InfrastructureError `E_IMAGE_NOT_LOCAL` when neither the engine nor a node has an image, `E_IMAGE_LOAD` when a node
 *   still lacks one afterwards
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
 * Whether the node has this very image under the reference. containerd's CRI plugin keeps every image under `sha256:<config digest>`
 * as well, which is the engine's image id; both names share one manifest. A node that shares the engine's store has the id itself.
 */
function isCurrent(list: NodeImageList, ref: string, localId: string | undefined): boolean {
  const digest = list.get(canonicalImageRef(ref));
  if (digest === undefined) return false;
  return localId === undefined || digest === localId || list.get(localId) === digest;
}

async function listAll(deps: LoadDeps): Promise<Map<string, NodeImageList>> {
  const lists = deps.nodes.map(
    async (node) => [node, await listNodeImages(deps.run, node, deps.signal)] as const,
  );
  return new Map(await Promise.all(lists));
}

const inspectedSchema = z.object({ Id: z.string(), RepoTags: z.array(z.string()).nullish() });

/** The engine's image id of each reference that it has. */
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
 * Saves all images once, layers that they share included once; every node reads that same file.
 *
 * Through a folder that nodes mount a 116 MB image took two nodes 2.4 s, through `docker exec -i` 6.1 s, both beside other work; the import
 * without containerd's transfer service (`--local`) was a quarter faster, but older versions of ctr do not know it.
 */
async function transfer(
  refs: readonly string[],
  targets: readonly string[],
  deps: LoadDeps,
): Promise<number> {
  const { mount, run, signal, onProgress } = deps;
  const mounted =
    mount !== undefined && (await stat(mount.folder).catch(() => undefined))?.isDirectory() === true;
  const folder = await mkdtemp(join(mounted ? mount.folder : tmpdir(), '.kindproof-images-'));
  const archive = join(folder, 'images.tar');
  try {
    onProgress?.(`saving ${refs.length} images`);
    const saved = await run.run('docker', ['save', '--output', archive, ...refs], {
      signal,
      timeoutMs: 600_000,
      hint: 'check the free space of the temporary folder: df -h',
    });
    // docker makes it readable for its owner only; a node's containerd may have another idea of who that is.
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

// On the node: from the mounted file, if the node sees it. Exit code 9 asks for the other way.
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
  throw new InfrastructureError('E_IMAGE_LOAD', `images did not arrive: ${lacking.join('; ')}`, {
    hint: refs.some((ref) => ref.includes('@'))
      ? 'name images by tag: an archive does not carry the digest of a reference'
      : "check the free space of the engine's disk: docker system df",
    details: { lacking },
  });
}
