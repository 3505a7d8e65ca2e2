/** Installs a folder of plain manifests by server-side apply, like `kubectl apply --server-side -f FOLDER`. */
import { maskSet } from '../../core/credentials.ts';
import { CheckFailure, UsageError } from '../../core/errors.ts';
import { refusalHint } from '../helm/failure.ts';
import type { ChartSource, Rendered } from '../helm/types.ts';
import { checkSubjectFiles } from '../helm/subject-files.ts';
import { ApiError, isLackOfPermission } from '../api/errors.ts';
import type { KubeObject } from '../api/types.ts';
import { nameOf } from '../manifests/objects.ts';
import { patchObjects } from '../manifests/patch.ts';
import { claimObject, isClaimed, type DeployTarget } from './claim-object.ts';
import { releaseKey, type Deployer } from './deployer.ts';
import { readManifests } from '../manifests/manifest-files.ts';

/** Statuses that mean the object is at fault, not the API server. */
const REJECTED = [400, 403, 404, 409, 413, 415, 422];

export interface ManifestDeployerDeps {
  /** Without it, only operations that need no cluster work. */
  cluster?: DeployTarget;
  signal: AbortSignal;
}

export function createManifestDeployer(deps: ManifestDeployerDeps): Deployer {
  /** The objects of each release, in order of creation. */
  const applied = new Map<string, KubeObject[]>();

  function target(): DeployTarget {
    if (!deps.cluster) throw new Error('applying manifests needs a cluster');
    return deps.cluster;
  }

  async function render(source: ChartSource): Promise<Rendered> {
    rejectValues(source);
    const manifests = (await readManifests(source.chart)).filter(({ object }) => object.kind !== 'Namespace');
    if (manifests.length === 0) {
      throw new UsageError('E_MANIFEST', `the manifests in ${source.chart} contain no objects`);
    }
    const objects = manifests.map(({ object }) => withoutNamespace(object));
    return { objects: patchObjects(objects, source.patches ?? []) };
  }

  async function apply(source: ChartSource): Promise<void> {
    const { objects } = await render(source);
    const key = releaseKey(source);
    const known = applied.get(key) ?? [];
    for (const object of objects) {
      await orRefused(object, async () => {
        const at = { namespace: source.namespace, signal: deps.signal };
        const claimed = await claimObject(target(), object, at);
        // Recorded before the request: a failed apply may still have created the object.
        if (!known.some((o) => nameOf(o) === nameOf(object))) known.push(claimed);
        applied.set(key, known);
        await target().kube.apply(claimed, at);
      });
    }
  }

  async function orRefused(object: KubeObject, request: () => Promise<void>): Promise<void> {
    try {
      await request();
    } catch (error) {
      if (!(error instanceof ApiError) || !REJECTED.includes(error.status)) throw error;
      if (isLackOfPermission(error.message)) throw error;
      throw new CheckFailure('E_APPLY', `the cluster refuses ${nameOf(object)}: ${error.message}`, {
        cause: error,
        hint: refusalHint(error.message),
      });
    }
  }

  return {
    render,
    validateSubject: async (subject) => {
      await checkSubjectFiles({ values: subject.values, set: subject.set });
      return render({ releaseName: 'validate', namespace: 'default', ...subject });
    },
    install: apply,
    upgrade: apply,
    rollback: apply,
    async uninstall(release) {
      const objects = applied.get(releaseKey(release)) ?? [];
      applied.delete(releaseKey(release));
      for (const object of [...objects].reverse()) await remove(object, release.namespace);
    },
  };

  async function remove(object: KubeObject, namespace: string): Promise<void> {
    const { kube, runId } = target();
    const { apiVersion, kind, metadata } = object;
    const ref = { name: metadata.name, namespace };
    // Releases are uninstalled also after the run's signal has aborted.
    const { teardown } = kube;
    if (isClaimed(object, runId)) {
      // Outside of the run's namespaces, releases share an object of one name, and others can create it again.
      if ([...applied.values()].flat().some((other) => isClaimed(other, runId) && isSame(other, object)))
        return;
      const live = await teardown.get({ apiVersion, kind }, ref);
      if (!live || !isClaimed(live, runId)) return;
    }
    await teardown.delete({ apiVersion, kind }, ref);
  }
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  return a.apiVersion === b.apiVersion && nameOf(a) === nameOf(b);
}

function rejectValues({ chart, values, set }: ChartSource): void {
  const given = [
    ...values.map((file) => `values file ${file}`),
    ...set.map((pair) => `--set ${maskSet(pair)}`),
  ];
  if (given.length === 0) return;
  throw new UsageError(
    'E_VALUES',
    `${chart} contains plain manifests, which take no values: ${given.join(', ')}`,
    {
      hint: 'Edit a copy of the manifests, or use a chart. Replace images with --image.',
    },
  );
}

/** Drops the namespace of the file, which is the production one. The run chooses its own. */
function withoutNamespace(object: KubeObject): KubeObject {
  const metadata = { ...object.metadata };
  delete metadata.namespace;
  return { ...object, metadata };
}
