/** The recipe of the node image, and a fingerprint of all files that the image is built from. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const version = z.string().regex(/^v\d+\.\d+\.\d+$/);

const versionsSchema = z.object({
  debian: z.string(),
  debianOfGo: z.string(),
  go: z.string(),
  kind: version,
  kubernetes: version,
  etcd: version,
  coredns: version,
  containerd: version,
  flannel: version,
  localPathProvisioner: version,
  metricsServer: version,
  published: z.object({ ref: z.string().includes('@sha256:'), kubernetes: version }),
});

export type Versions = z.infer<typeof versionsSchema>;

export interface Recipe {
  /** The folder with the Dockerfile. */
  dir: string;
  versions: Versions;
  /** `kindproof/node:v1.36.3-0123456789ab`. */
  ref: string;
}

/** Files of this folder that are not part of the image. */
const NOT_PART = /\.(ts|md|gitattributes)$|^update-modules$/;

/**
 * Reads the recipe.
 *
 * The tag ends with a digest over all files of the image: a changed recipe results in another image, and an unchanged one is never built
 * twice.
 */
export async function readRecipe(dir = fileURLToPath(new URL('.', import.meta.url))): Promise<Recipe> {
  const versions = versionsSchema.parse(JSON.parse(await readFile(join(dir, 'versions.json'), 'utf8')));
  const hash = createHash('sha256');
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.map((path) => relative(dir, path)).sort()) {
    if (NOT_PART.test(file)) continue;
    hash
      .update(`${file}\0`)
      .update(await readFile(join(dir, file)))
      .update('\0');
  }
  const fingerprint = hash.digest('hex').slice(0, 12);
  return { dir, versions, ref: `kindproof/node:${versions.kubernetes}-${fingerprint}` };
}

/** Build arguments for the Dockerfile. */
export function buildArguments(versions: Versions): Record<string, string> {
  return {
    GO_VERSION: versions.go,
    KIND_VERSION: versions.kind,
    KUBERNETES_VERSION: versions.kubernetes,
    ETCD_VERSION: versions.etcd,
    COREDNS_VERSION: versions.coredns,
    CONTAINERD_VERSION: versions.containerd,
    FLANNEL_VERSION: versions.flannel,
    LOCAL_PATH_PROVISIONER_VERSION: versions.localPathProvisioner,
    METRICS_SERVER_VERSION: versions.metricsServer,
  };
}
