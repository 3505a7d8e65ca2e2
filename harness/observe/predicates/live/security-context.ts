/** What the security context of a container promises, compared with what the kernel enforces for its processes. */
import type { Container, Pod, PodSpec } from '../../../kube/api/types.ts';
import { allContainers, field } from '../../../kube/manifests/objects.ts';
import { addedBits, bitsOf, capabilityNames, droppedBits } from './capabilities.ts';
import type { ProcessStatus } from './process.ts';

/** A process of a container. Its ids are those inside of the container. */
export interface SeenProcess extends ProcessStatus {
  pid: number;
  /** Whether its root file system refuses writes; `undefined` when that is not known. */
  isRootReadOnly: boolean | undefined;
}

/** Security fields of a container, those of its pod included. */
type Context = Readonly<Record<string, unknown>>;

/**
 * What the manifest states about a container: the fields of the container over those of its pod. A field that stands where it has no
 * effect is stated, too: its author relies on it.
 */
export function statedContext(spec: PodSpec, container: Container): Context {
  const { seccompProfile, ...ofPod } = spec.securityContext ?? {};
  const own = container.securityContext ?? {};
  // A privileged container runs unconfined, whatever its pod says for the others (Kubernetes documentation, "Seccomp and privileged").
  return { ...ofPod, ...(own['privileged'] !== true && { seccompProfile }), ...own };
}

/** Fields that the pod has with another value: the cluster has changed them at admission, so the chart does not decide about them. */
export function overruledFields(stated: Context, pod: Pod, container: string): string[] {
  const admitted = allContainers(pod.spec).find((one) => one.container.name === container)?.container;
  const live = admitted ? statedContext(pod.spec, admitted) : {};
  return Object.keys(stated).filter(
    (name) => live[name] !== undefined && canonical(live[name]) !== canonical(stated[name]),
  );
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value);
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)));
}

/** Whether the context restricts a container in a way that the kernel shows. */
export function isRestricting(stated: Context): boolean {
  return PROMISES.some((promise) => stated[promise.field] !== undefined);
}

/**
 * One sentence for each promise that is not kept: `process 1 (nginx) runs as user 0 0 0 0, not as 101 (runAsUser)`. A process with fewer
 * rights than stated keeps every promise: programs give up rights after their start.
 *
 * @param processes of one container, its first one first
 */
export function brokenPromises(stated: Context, processes: readonly SeenProcess[]): string[] {
  return PROMISES.flatMap((promise) => {
    if (stated[promise.field] === undefined) return [];
    const bound = promise.binds === 'first' ? processes.slice(0, 1) : processes;
    for (const process of bound) {
      const says = promise.broken(process, stated);
      if (says !== undefined) return [`process ${process.pid} (${process.name}) ${says} (${promise.field})`];
    }
    return [];
  });
}

/** Names of capabilities that are added, and that not even the first process can have; empty when there are none. */
export function missingCapabilities(stated: Context, [first]: readonly SeenProcess[]): string {
  return first ? capabilityNames(addedBits(stated['capabilities']) & ~bitsOf(first.capBnd)) : '';
}

interface KernelPromise {
  field: string;
  /** `first`: about the start of the container only, so its children may differ. */
  binds: 'first' | 'all';
  /** Completes "the process …"; `undefined` when the promise is kept. */
  broken: (process: SeenProcess, stated: Context) => string | undefined;
}

const PROMISES: readonly KernelPromise[] = [
  {
    field: 'runAsUser',
    // "The UID to run the entrypoint of the container process" (SecurityContext v1 core).
    binds: 'first',
    broken: ({ uids }, { runAsUser }) =>
      // Root may become anybody.
      runAsUser === 0 || uids.every((uid) => uid === runAsUser)
        ? undefined
        : `runs as user ${uids.join(' ')}, not as ${String(runAsUser)}`,
  },
  {
    field: 'runAsNonRoot',
    binds: 'all',
    broken: ({ uids }, { runAsNonRoot }) =>
      runAsNonRoot === true && uids.includes(0) ? `runs as root, user ${uids.join(' ')}` : undefined,
  },
  {
    field: 'runAsGroup',
    binds: 'first',
    broken: ({ gids }, stated) =>
      mayChangeGroups(stated) || gids.every((gid) => gid === stated['runAsGroup'])
        ? undefined
        : `runs in group ${gids.join(' ')}, not in ${String(stated['runAsGroup'])}`,
  },
  {
    field: 'fsGroup',
    binds: 'first',
    broken: (process, stated) => lacking([stated['fsGroup']], process, stated),
  },
  {
    field: 'supplementalGroups',
    binds: 'first',
    broken: (process, stated) => lacking(listOf(stated['supplementalGroups']), process, stated),
  },
  {
    field: 'supplementalGroupsPolicy',
    binds: 'first',
    broken: ({ gids, groups }, { fsGroup, supplementalGroups, supplementalGroupsPolicy }) => {
      const stated = [...gids, fsGroup, ...listOf(supplementalGroups)];
      const others = groups.filter((group) => !stated.includes(group));
      if (supplementalGroupsPolicy !== 'Strict' || others.length === 0) return undefined;
      return `is in group ${others.join(', ')} of its image`;
    },
  },
  {
    field: 'allowPrivilegeEscalation',
    binds: 'all',
    broken: ({ noNewPrivileges }, { allowPrivilegeEscalation }) =>
      allowPrivilegeEscalation === false && noNewPrivileges === false
        ? 'can gain privileges: NoNewPrivs is 0'
        : undefined,
  },
  {
    field: 'seccompProfile',
    binds: 'all',
    broken: ({ seccomp }, { seccompProfile }) => {
      const type = field(seccompProfile, 'type');
      const isFilter = type === 'RuntimeDefault' || type === 'Localhost';
      return isFilter && seccomp === 0
        ? `has no filter of system calls, not ${type}: Seccomp is 0`
        : undefined;
    },
  },
  {
    field: 'readOnlyRootFilesystem',
    binds: 'first',
    broken: ({ isRootReadOnly }, { readOnlyRootFilesystem }) =>
      readOnlyRootFilesystem === true && isRootReadOnly === false
        ? 'can write to /, which is not mounted read-only'
        : undefined,
  },
  {
    field: 'capabilities',
    binds: 'all',
    broken: ({ capEff, capPrm, capBnd }, { capabilities }) => {
      const held = (bitsOf(capEff) | bitsOf(capPrm) | bitsOf(capBnd)) & droppedBits(capabilities);
      if (held === 0n) return undefined;
      const drop = listOf(field(capabilities, 'drop')).join(', ');
      return `has ${capabilityNames(held)} although drop names ${drop}: CapEff ${capEff ?? '?'}, CapBnd ${capBnd ?? '?'}`;
    },
  },
];

/** Only root can change its groups, and may have started without those that it has given up. */
function mayChangeGroups({ runAsUser, runAsNonRoot }: Context): boolean {
  return runAsNonRoot !== true && (runAsUser === undefined || runAsUser === 0);
}

function lacking(
  wanted: readonly unknown[],
  { gids, groups }: SeenProcess,
  stated: Context,
): string | undefined {
  const absent = wanted.filter((group) => ![...gids, ...groups].includes(Number(group)));
  if (mayChangeGroups(stated) || absent.length === 0) return undefined;
  return `is not in group ${absent.join(', ')}, only in ${[...new Set([...gids, ...groups])].join(', ')}`;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
