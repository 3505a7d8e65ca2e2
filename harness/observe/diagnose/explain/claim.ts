/** Explains why a PersistentVolumeClaim is not bound, and which nodes can mount the volume of a bound claim. */
import { z } from 'zod';
import type { KubeObject, Pod, Workload } from '../../../kube/api/types.ts';
import type { Cause } from '../diagnosis.ts';
import { HINT } from './hints.ts';
import { clip, count, listed } from '../../../core/wording.ts';
import type { Explanation, World } from '../world.ts';
import { eventsOf, RANK } from '../world.ts';

const claimShape = z.object({
  spec: z
    .object({
      storageClassName: z.string().optional(),
      volumeName: z.string().optional(),
      accessModes: z.array(z.string()).optional(),
    })
    .default({}),
  status: z.object({ phase: z.string().optional() }).default({}),
});

const requiredNodes = z.object({
  spec: z.object({
    nodeAffinity: z.object({
      required: z.object({
        nodeSelectorTerms: z.array(
          z.object({
            matchExpressions: z
              .array(z.object({ key: z.string(), values: z.array(z.string()).optional() }))
              .optional(),
          }),
        ),
      }),
    }),
  }),
});

interface ClaimTrouble {
  causes: Cause[];
  hint?: string | undefined;
  /** Provisioning is under way or starts once the pod has a node: waiting may help. */
  mayHeal: boolean;
}

/** Undefined for a bound claim, and when claims could not be read. */
export function explainClaim(world: World, name: string): ClaimTrouble | undefined {
  if (!world.claims) return undefined;
  const claim = world.claims.find((c) => c.metadata.name === name);
  const object = `PersistentVolumeClaim ${name}`;
  if (!claim) {
    const names = world.claims.map((c) => c.metadata.name);
    const says =
      names.length === 0
        ? 'has no PersistentVolumeClaim at all'
        : `has only PersistentVolumeClaim ${listed(names)}`;
    return {
      causes: [{ object: `Namespace ${world.namespace}`, says }],
      hint: HINT.claimMissing,
      mayHeal: false,
    };
  }
  const { spec, status } = claimShape.parse(claim);
  if (status.phase === 'Bound') return undefined;
  if (status.phase === 'Lost') {
    const says = `is Lost: its volume ${spec.volumeName ?? ''} is gone`;
    return { causes: [{ object, says }], mayHeal: false };
  }
  const className = spec.storageClassName ?? '';
  const pending =
    className === '' ? 'is Pending without a StorageClass' : `is Pending with StorageClass ${className}`;
  if (className !== '' && world.storageClasses?.every((c) => c.metadata.name !== className)) {
    const existing = world.storageClasses.map((c) => c.metadata.name);
    return {
      causes: [
        { object, says: pending },
        { object: `StorageClass ${className}`, says: `does not exist (existing: ${listed(existing)})` },
      ],
      hint: HINT.storageClass,
      mayHeal: false,
    };
  }
  if (className === '' && world.storageClasses) {
    return {
      causes: [{ object, says: `${pending}, and there is no default class: nothing will provision it` }],
      hint: HINT.storageClass,
      mayHeal: false,
    };
  }
  const events = eventsOf(world.events, { ...claim, kind: 'PersistentVolumeClaim' });
  const failure = events.findLast((e) => e.type === 'Warning');
  if (failure) {
    const says = `${pending}: ${clip(failure.message ?? failure.reason ?? 'provisioning failed')}`;
    return { causes: [{ object, says }], mayHeal: false };
  }
  const latest = events.at(-1)?.message;
  const says =
    latest === undefined ? `${pending}: nothing has provisioned it yet` : `${pending}: ${clip(latest)}`;
  return { causes: [{ object, says }], mayHeal: true };
}

/** The nodes that can mount the volume of a bound claim. */
export function explainBinding(world: World, name: string): { cause: Cause; nodes: string[] } | undefined {
  const claim = world.claims?.find((c) => c.metadata.name === name);
  if (!claim) return undefined;
  const { spec } = claimShape.parse(claim);
  const volume = world.volumes?.find((v) => v.metadata.name === spec.volumeName);
  const nodes = volume ? nodesOf(volume) : [];
  if (nodes.length === 0) return undefined;
  const modes = (spec.accessModes ?? []).join(', ');
  const where = `bound to a volume that only ${listed(nodes)} can mount`;
  return { cause: { object: `PersistentVolumeClaim ${name}`, says: `(${modes}) is ${where}` }, nodes };
}

const ONE_NODE = new Set(['ReadWriteOnce', 'ReadWriteOncePod']);

/** Replicas that share a claim that only one node can use are all on that node. They are ready, but a preference cannot spread them. */
export function explainTie(workload: Workload, pods: readonly Pod[], world: World): Explanation | undefined {
  const claimsOf = ({ spec }: Pod): string[] =>
    (spec.volumes ?? []).flatMap((v) => v.persistentVolumeClaim?.claimName ?? []);
  for (const name of new Set(pods.flatMap(claimsOf))) {
    const sharing = pods.filter((pod) => claimsOf(pod).includes(name));
    const [node, ...others] = new Set(sharing.map(({ spec }) => spec.nodeName));
    if (sharing.length < 2 || node === undefined || others.length > 0) continue;
    const cause = tieOf(world, name);
    if (!cause || (explainBinding(world, name)?.nodes.length ?? 1) > 1) continue;
    return {
      causes: [
        {
          object: `${workload.kind} ${workload.metadata.name}`,
          says: `has ${count(sharing.length, 'pod')} on node ${node} that share PersistentVolumeClaim ${name}`,
        },
        cause,
      ],
      hint: HINT.claimNode,
      rank: RANK.circumstance,
    };
  }
  return undefined;
}

/** What ties all pods with the claim to one node, or to a few. */
export function tieOf(world: World, name: string): Cause | undefined {
  const binding = explainBinding(world, name);
  if (binding) return binding.cause;
  const claim = world.claims?.find((c) => c.metadata.name === name);
  const modes = claim ? (claimShape.parse(claim).spec.accessModes ?? []) : [];
  if (modes.length === 0 || !modes.every((mode) => ONE_NODE.has(mode))) return undefined;
  return {
    object: `PersistentVolumeClaim ${name}`,
    says: `(${modes.join(', ')}) can be mounted by one node at a time`,
  };
}

function nodesOf(volume: KubeObject): string[] {
  const parsed = requiredNodes.safeParse(volume);
  if (!parsed.success) return [];
  return parsed.data.spec.nodeAffinity.required.nodeSelectorTerms.flatMap((t) =>
    (t.matchExpressions ?? [])
      .filter((e) => e.key === 'kubernetes.io/hostname')
      .flatMap((e) => (e.values ?? []).map((node) => `node ${node}`)),
  );
}
