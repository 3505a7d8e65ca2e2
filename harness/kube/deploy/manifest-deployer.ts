/** Installs a folder of plain manifests by server-side apply, object by object, as `kubectl apply --server-side -f FOLDER` does. */
import { stringify } from 'yaml';
import { CheckFailure, UsageError } from '../../core/errors.ts';
import type { ChartSource, Rendered, ReleaseRef } from '../helm/types.ts';
import { checkSubjectFiles } from '../helm/subject-files.ts';
import type { KubeClient } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import type { KubeObject } from '../api/types.ts';
import { nameOf } from '../manifests/objects.ts';
import { patchObjects } from '../manifests/patch.ts';
import type { Deployer } from './deployer.ts';
import { readManifests } from '../manifests/manifest-files.ts';

/** Answers of the API server that speak of the object, not of the server. */
const REFUSED = [400, 403, 404, 409, 413, 415, 422];

export interface ManifestDeployerDeps {
  /** Without it only what needs no cluster works. */
  kube?: KubeClient;
  signal: AbortSignal;
}

export function createManifestDeployer(deps: ManifestDeployerDeps): Deployer {
  /** What each release has put into the cluster, in order. */
  const applied = new Map<string, KubeObject[]>();
  const keyOf = ({ namespace, releaseName }: ReleaseRef): string => `${namespace}/${releaseName}`;

  function cluster(): KubeClient {
    if (!deps.kube) throw new Error('manifests are applied to a cluster, and none was given');
    return deps.kube;
  }

  async function render(source: ChartSource): Promise<Rendered> {
    rejectValues(source);
    const manifests = (await readManifests(source.chart)).filter(({ object }) => object.kind !== 'Namespace');
    if (manifests.length === 0) {
      throw new UsageError('E_MANIFEST', `the manifests in ${source.chart} hold no object`);
    }
    const objects = patchObjects(
      manifests.map(({ object }) => inNoNamespace(object)),
      source.patches ?? [],
    );
    return {
      objects,
      hooks: [],
      manifests: manifests.map((manifest, index) => ({
        ...manifest,
        object: objects[index] ?? manifest.object,
      })),
      text: objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join('---\n'),
    };
  }

  async function apply(source: ChartSource): Promise<void> {
    const { objects } = await render(source);
    const known = applied.get(keyOf(source)) ?? [];
    for (const object of objects) {
      // Noted first: what was refused half-way is deleted as well.
      if (!known.some((o) => nameOf(o) === nameOf(object))) known.push(object);
      applied.set(keyOf(source), known);
      await applyOne(object, source.namespace);
    }
  }

  async function applyOne(object: KubeObject, namespace: string): Promise<void> {
    try {
      await cluster().apply(object, { namespace, signal: deps.signal });
    } catch (error) {
      if (!(error instanceof ApiError) || !REFUSED.includes(error.status)) throw error;
      throw new CheckFailure('E_APPLY', `the cluster refuses ${nameOf(object)}: ${error.message}`, {
        cause: error,
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
    async uninstall(release) {
      const objects = applied.get(keyOf(release)) ?? [];
      for (const { apiVersion, kind, metadata } of [...objects].reverse()) {
        await cluster().delete({ apiVersion, kind }, { name: metadata.name, namespace: release.namespace });
      }
      applied.delete(keyOf(release));
    },
  };
}

function rejectValues({ chart, values, set, setString = [] }: ChartSource): void {
  const given = [
    ...values.map((file) => `values file ${file}`),
    ...[...set, ...setString].map((pair) => `--set ${pair}`),
  ];
  if (given.length === 0) return;
  throw new UsageError(
    'E_VALUES',
    `${chart} holds plain manifests, which take no values: ${given.join(', ')}`,
    {
      hint: 'Edit a copy of the manifests, or give a chart. An image is replaced with --image.',
    },
  );
}

/** The run decides in which namespace it is; what the file says is where it would be in production. */
function inNoNamespace(object: KubeObject): KubeObject {
  const metadata = { ...object.metadata };
  delete metadata.namespace;
  return { ...object, metadata };
}
