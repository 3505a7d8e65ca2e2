/** Explains why a container does not start, does not keep running or is not ready. */
import type { Container, ContainerState, ContainerStatus, Pod } from '../../../kube/api/types.ts';
import { timeOf } from '../../../kube/api/objects.ts';
import { parseQuantity } from '../../../kube/api/quantity.ts';
import type { Cause } from '../diagnosis.ts';
import { endsWithItsInput, exitText, NO_INPUT } from './exit-code.ts';
import { explainImage } from './image.ts';
import type { ProbeFailure, ProbeKind } from './probe.ts';
import { allContainers, tolerance, probeFailures, probeKill, probeOf } from './probe.ts';
import { inventory, keysOf } from './volumes.ts';
import { HINT } from './hints.ts';
import { isRace } from './recovered.ts';
import { serviceLink } from './service-links.ts';
import { runtimeRefusal } from './runtime-refusal.ts';
import { clip, count, logTail, listed } from '../../../core/wording.ts';
import type { ContainerRole, PodTrouble, World } from '../world.ts';
import { containerStatuses, failedLog, RANK, roleOf } from '../world.ts';

interface ContainerView {
  pod: Pod;
  spec: Container | undefined;
  status: ContainerStatus;
  /** "container app", "init container prepare" or "sidecar proxy". */
  who: string;
  role: ContainerRole;
  /** Has to end before the next container starts; false for a sidecar. */
  init: boolean;
  world: World;
}

type Terminated = NonNullable<ContainerState['terminated']>;

/** The trouble of each container of a pod; none for containers that run and are ready. */
export function explainContainers(pod: Pod, world: World): PodTrouble[] {
  return containerStatuses(pod).flatMap((status) => {
    const spec = allContainers(pod).find((c) => c.name === status.name);
    const role = roleOf(pod, status.name);
    const who = `${role} ${status.name}`;
    return explainOne({ pod, spec, status, who, role, init: role === 'init container', world }) ?? [];
  });
}

function explainOne(view: ContainerView): PodTrouble | undefined {
  const { pod, spec, status, world } = view;
  return (
    explainImage(pod, spec, status, world) ??
    explainConfigError(view) ??
    explainStartError(view) ??
    explainEnd(view) ??
    explainRunningInit(view) ??
    explainUnready(view)
  );
}

/** CreateContainerConfigError: a missing ConfigMap, Secret or key in the environment, or runAsNonRoot. */
function explainConfigError({ spec, status, who, world }: ContainerView): PodTrouble | undefined {
  const waiting = status.state?.waiting;
  if (waiting?.reason !== 'CreateContainerConfigError' && waiting?.reason !== 'CreateContainerError')
    return undefined;
  const message = waiting.message ?? '';
  const key = /couldn't find key (\S+) in (ConfigMap|Secret) [^/]+\/(\S+)/.exec(message);
  if (key) {
    const [, name = '', kind = '', object = ''] = key;
    const source = { kind: kind as 'ConfigMap' | 'Secret', name: object };
    const keys = keysOf(source, world);
    const variable = spec?.env?.find((e) =>
      Object.values(e.valueFrom ?? {}).some((v) => v.key === name),
    )?.name;
    const use = variable === undefined ? '' : ` (for the variable ${variable})`;
    return {
      says: `cannot start ${who}: ${kind} ${object} has no key "${name}"${use}`,
      upstream: keys
        ? [
            {
              object: `${kind} ${object}`,
              says:
                keys.length === 0
                  ? 'has no keys'
                  : `has only the ${keys.length === 1 ? 'key' : 'keys'} ${listed(keys)}`,
            },
          ]
        : [],
      hint: HINT.key,
      rank: RANK.config,
    };
  }
  const missing = /(configmap|secret) "([^"]+)" not found/i.exec(message);
  if (missing) {
    const kind = /secret/i.test(missing[1] ?? '') ? 'Secret' : 'ConfigMap';
    return {
      says: `cannot start ${who}: ${kind} ${missing[2] ?? ''}, which its environment refers to, does not exist`,
      upstream: inventory(world, kind),
      hint: kind === 'Secret' ? HINT.secret : HINT.configMap,
      rank: RANK.config,
    };
  }
  const root = /runAsNonRoot and image (will run as root|has non-numeric user)/.exec(message);
  if (root) {
    const why =
      root[1] === 'will run as root'
        ? `its image ${spec?.image ?? ''} runs as root`
        : `the user of its image ${spec?.image ?? ''} is a name, not a number`;
    return {
      says: `cannot start ${who}: runAsNonRoot is set and ${why}`,
      upstream: [],
      hint: `Set runAsUser of ${who} to a number other than 0, or use an image whose user is a number.`,
      rank: RANK.config,
    };
  }
  const refused = runtimeRefusal(message);
  if (refused) {
    return {
      says: `cannot start ${who}: it ${refused.says}`,
      upstream: [],
      hint: refused.hint,
      rank: RANK.config,
    };
  }
  return { says: `cannot start ${who}: ${clip(message)}`, upstream: [], rank: RANK.config };
}

/**
 * The runtime's words when the limit is below what it needs itself to start a process. The kernel kills its child, or refuses a limit that
 * is below the present use (runc, create.go and the cgroup manager).
 */
const TOO_LITTLE_MEMORY =
  /OOM-killed|memory limit (?:is )?too low|unable to set memory limit to \d+|write \S*memory\.(?:max|limit_in_bytes): device or resource busy/;

function memoryLimit(spec: Container | undefined): string {
  const limit = spec?.resources?.limits?.['memory'];
  return limit === undefined
    ? 'it has no memory limit of its own: the node was out of memory'
    : `its memory limit is ${limit}`;
}

function memoryHint({ role }: ContainerView): string {
  return role === 'container' ? HINT.memory : HINT.initMemory;
}

/** The runtime could not start the process: too little memory, wrong command, wrong architecture, or a read-only mount point. */
function explainStartError(view: ContainerView): PodTrouble | undefined {
  const { status, who, spec, init } = view;
  const ended = status.state?.terminated ?? status.lastState?.terminated;
  const waiting = status.state?.waiting;
  const fromEnd = ended && ['StartError', 'ContainerCannotRun'].includes(ended.reason ?? '');
  if (!fromEnd && waiting?.reason !== 'RunContainerError') return undefined;
  const message = (fromEnd ? ended.message : waiting?.message) ?? '';
  const rank = init ? RANK.init : RANK.config;
  if (TOO_LITTLE_MEMORY.test(message)) {
    return {
      says: `cannot start ${who}: it is out of memory before its program runs: ${memoryLimit(spec)}`,
      upstream: [],
      hint: memoryHint(view),
      rank: RANK.memory,
    };
  }
  const command =
    /exec: "([^"]+)": (executable file not found|permission denied|no such file|stat)/.exec(message) ??
    /exec "?([^":\s]+)"?: (no such file)/.exec(message);
  if (command) {
    const says = `cannot start ${who}: its image ${spec?.image ?? ''} has no program "${command[1] ?? ''}"`;
    const denied = `cannot start ${who}: "${command[1] ?? ''}" may not be executed`;
    return {
      says: command[2] === 'permission denied' ? denied : says,
      upstream: [],
      hint: HINT.command,
      rank,
    };
  }
  return {
    says: `cannot start ${who}: ${clip(message.split('desc = ').at(-1) ?? message, 300)}`,
    upstream: [],
    rank,
  };
}

/** The container ran and ended: out of memory, killed by a probe, or crashed. */
function explainEnd(view: ContainerView): PodTrouble | undefined {
  const { pod, spec, status, who, init, world } = view;
  const ended = status.state?.terminated ?? status.lastState?.terminated;
  if (!ended) return undefined;
  const again = restarts(status);
  if (ended.reason === 'OOMKilled') {
    return {
      says: `has ${who} OOMKilled (137)${again}: ${memoryLimit(spec)}`,
      upstream: logCause(view),
      hint: memoryHint(view),
      rank: RANK.memory,
    };
  }
  const kill = probeKill(pod, status.name, world.events);
  if (kill && status.restartCount > 0) {
    const failure = probeFailures(pod, world.events).find(
      (f) => f.container === status.name && f.probe === kill.probe,
    );
    const probe = probeOf(spec, kill.probe);
    return {
      says: `has ${who} killed by its ${kill.probe} probe${again}: ${failure?.says ?? 'the probe fails'}`,
      upstream: [
        {
          object: `${kill.probe === 'startup' ? 'Startup' : 'Liveness'} probe of ${status.name}`,
          says: tolerance(probe),
        },
        ...cpuLimit(view, failure),
        ...logCause(view, false),
      ],
      hint: killHint(kill.probe, failure),
      rank: RANK.probeKill,
    };
  }
  const recovered = status.state?.running !== undefined && status.ready;
  if (recovered) return undefined;
  if (ended.exitCode === 0) return init || mayEnd(pod) ? undefined : explainNormalEnd(view, ended);
  const log = failedLog(world, pod.metadata.name, status.name);
  const link = serviceLink(pod, spec, log, world);
  return {
    says: `has ${who} ending with exit code ${exitText(ended.exitCode, ended.signal)}${ran(ended)}${again}`,
    upstream: [...logCause(view), ...(link ? [link] : [])],
    hint: link ? HINT.serviceLinks : crashHint(ended.exitCode, log),
    rank: init ? RANK.init : RANK.crash,
  };
}

/** The kubelet starts its containers again only in a pod that is not being deleted, and only under restartPolicy Always. */
function mayEnd({ metadata, spec }: Pod): boolean {
  return (
    metadata.deletionTimestamp !== undefined ||
    spec['restartPolicy'] === 'OnFailure' ||
    spec['restartPolicy'] === 'Never'
  );
}

/** A container that should run for ever ended without an error. */
function explainNormalEnd(view: ContainerView, ended: Terminated): PodTrouble {
  const { spec, status, who, role } = view;
  const hasNoInput = endsWithItsInput(spec, ended);
  const input = {
    object: `${role.charAt(0).toUpperCase()}${role.slice(1)} ${status.name}`,
    says: NO_INPUT,
  };
  return {
    says: `has ${who} ending with exit code 0${ran(ended)}${restarts(status)}: it neither failed nor was killed, but it has to go on`,
    upstream: [...(hasNoInput ? [input] : []), ...logCause(view)],
    hint: hasNoInput ? HINT.noInput : HINT.ended,
    rank: RANK.crash,
  };
}

/** The kubelet waits for an init container for as long as it takes, without an event. */
function explainRunningInit(view: ContainerView): PodTrouble | undefined {
  const { status, who, init, world } = view;
  const { running } = status.state ?? {};
  if (!init || !running) return undefined;
  const since = timeOf(running.startedAt);
  const time = since === undefined ? '' : ` for ${Math.max(0, Math.round((world.now - since) / 1000))} s`;
  return {
    says: `is still starting: ${who} has been running${time} and has not ended, and the containers after it wait`,
    upstream: logCause(view, false),
    hint: HINT.initRunning,
    rank: RANK.initRunning,
  };
}

/** The container runs but is not ready. */
function explainUnready(view: ContainerView): PodTrouble | undefined {
  const { pod, spec, status, who, role, world } = view;
  if (status.ready || !status.state?.running) return undefined;
  const starting = spec?.startupProbe !== undefined && status.started === false;
  const failures = probeFailures(pod, world.events).filter((f) => f.container === status.name);
  const failure = failures.find((f) => f.probe === (starting ? 'startup' : 'readiness')) ?? failures[0];
  // A sidecar has to have started, not to be ready, before the next container is started.
  const waits = role === 'sidecar' && starting ? '; the containers after it wait' : '';
  if (failure) {
    return {
      says: `is not ready: the ${failure.probe} probe of ${who} fails: ${failure.says}${waits}`,
      upstream: [...cpuLimit(view, failure), ...logCause(view, false)],
      hint: failure.hint,
      rank: RANK.readiness,
    };
  }
  const probe = starting ? 'startup' : 'readiness';
  const delay = probeOf(spec, probe)?.initialDelaySeconds;
  const why =
    delay === undefined
      ? `no ${probe} probe has succeeded yet`
      : `its ${probe} probe waits ${delay} s before its first attempt`;
  return { says: `is not ready: ${who} runs, but ${why}`, upstream: [], rank: RANK.progress };
}

function restarts(status: ContainerStatus): string {
  return status.restartCount === 0 ? '' : `, restarted ${count(status.restartCount, 'time')}`;
}

/** " after 3 s"; API times are whole seconds, so 0 s becomes " at once". */
function ran(ended: Terminated): string {
  const ms = Date.parse(ended.finishedAt ?? '') - Date.parse(ended.startedAt ?? '');
  if (Number.isNaN(ms)) return '';
  return ms < 1000 ? ' at once' : ` after ${Math.round(ms / 1000)} s`;
}

function logCause({ pod, status, world }: ContainerView, reportEmpty = true): Cause[] {
  const text = logTail(failedLog(world, pod.metadata.name, status.name));
  if (text === undefined)
    return reportEmpty && world.logs ? [{ object: `Log of ${status.name}`, says: 'is empty' }] : [];
  return [{ object: `Log of ${status.name}`, says: `ends: ${text}` }];
}

/** Below a whole CPU the node stops a busy process in each period, which looks like an application that does not answer. */
function cpuLimit({ spec, status }: ContainerView, failure: ProbeFailure | undefined): Cause[] {
  const limit = spec?.resources?.limits?.['cpu'];
  if (limit === undefined || parseQuantity(limit) >= 1 || !failure?.says.includes('no answer within'))
    return [];
  return [
    {
      object: `Container ${status.name}`,
      says: `has a CPU limit of ${limit}: a process that needs more is throttled, and answers late`,
    },
  ];
}

/** Nothing listens yet: the start is slow. It answers with an error: the application is broken, or the probe is wrong. */
function killHint(probe: ProbeKind, failure: ProbeFailure | undefined): string {
  if (probe === 'startup') return HINT.startupProbe;
  return /refused|no answer/.test(failure?.says ?? '') ? HINT.startup : (failure?.hint ?? HINT.liveness);
}

function crashHint(exitCode: number, log: string | undefined): string {
  if (/exec format error/i.test(log ?? '')) return HINT.architecture;
  if (isRace(log)) return HINT.race;
  if (exitCode === 126 || exitCode === 127) return HINT.command;
  if (/permission denied|operation not permitted|read-only file system|EACCES|EPERM|EROFS/i.test(log ?? ''))
    return HINT.permission;
  return HINT.crash;
}
