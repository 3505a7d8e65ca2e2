/** The container engine: there, recent enough, and able to run what a node of a cluster is. */
import type { EngineFacts, EngineInfo } from '../engine-facts.ts';
import { engineFacts } from '../engine-facts.ts';
import { engineRepair } from '../fixes/engine-repair.ts';
import { buildxRepair } from '../fixes/buildx-repair.ts';
import type { Check, Finding, PreflightDeps, PreflightNeed } from '../finding.ts';
import { fine } from '../finding.ts';

/** API 1.41 (Docker 20.10): `--cgroupns=private`, which kind gives to every node. */
const LEAST_API = [1, 41] as const;
const CAP_SYS_RESOURCE = 24n;

export const checkEngine: Check = async (deps, need) => {
  if (need.cluster === 'existing' && !need.buildImages) return [];
  const facts = await engineFacts(deps);
  const { info } = facts;
  if (info === undefined) return [await unreachable(deps, facts)];
  return [
    engine(facts, info),
    cgroup(facts, info),
    ...(await privileged(deps, info)),
    await buildx(deps, facts, need),
  ];
};

async function unreachable(deps: PreflightDeps, facts: EngineFacts): Promise<Finding> {
  return {
    id: 'engine',
    title: 'Container engine',
    status: 'problem',
    found: facts.error ?? 'it does not answer',
    why: 'The nodes of a kind cluster are its containers, and images are built with it.',
    ...(await engineRepair(deps, facts)),
  };
}

function engine(facts: EngineFacts, info: EngineInfo): Finding {
  const name = facts.podman ? 'Podman' : 'Docker';
  const api = facts.apiVersion ?? '0.0';
  const found = `${name} ${info.ServerVersion}, API ${api}, client ${facts.clientVersion ?? 'of unknown version'}`;
  const base = { id: 'engine', title: 'Container engine', found };
  const [major = 0, minor = 0] = api.split('.').map(Number);
  if (facts.podman) {
    return {
      ...base,
      status: 'warning',
      why: "kind's support of Podman is experimental, and kindproof has only been tried with Docker.",
      remedy: 'Use a Docker engine, or go on at your own risk.',
    };
  }
  if (major < LEAST_API[0] || (major === LEAST_API[0] && minor < LEAST_API[1])) {
    return {
      ...base,
      status: 'problem',
      why: `Nodes need a cgroup namespace of their own, which came with API ${LEAST_API.join('.')} (Docker 20.10).`,
      remedy: 'Install a newer engine: https://docs.docker.com/engine/install/',
    };
  }
  return { ...base, status: 'ok', why: '', remedy: '' };
}

function cgroup(facts: EngineFacts, info: EngineInfo): Finding {
  const version = info.CgroupVersion ?? 'unknown';
  const storage = info.Driver === undefined ? '' : `, storage ${info.Driver}`;
  const found = `v${version}, driver ${info.CgroupDriver ?? 'unknown'}${facts.rootless ? ', rootless engine' : ''}${storage}`;
  const base = { id: 'engine-cgroup', title: 'Control groups', found };
  if (facts.rootless) {
    const v2 = version === '2';
    return {
      ...base,
      status: v2 ? 'warning' : 'problem',
      why: 'In a rootless engine a node can limit memory and processors only where cgroup v2 is delegated to the user.',
      remedy: v2
        ? 'Delegate cpu, cpuset, io, memory and pids to the user: https://kind.sigs.k8s.io/docs/user/rootless/'
        : 'Boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1), or use an engine that runs as root.',
    };
  }
  const why =
    version === '1'
      ? 'Kubernetes 1.35 and newer refuse cgroup v1 unless told otherwise; the node image of kindproof tells them.'
      : '';
  return { ...base, status: 'ok', why, remedy: '' };
}

/**
 * Docker 20.10 asks for every capability when it starts a privileged container, and the kernel refuses where the machine
 * itself lacks one (seen with CAP_SYS_RESOURCE in a sandboxed machine; 26.1 asks only for what there is).
 */
async function privileged(deps: PreflightDeps, info: EngineInfo): Promise<Finding[]> {
  const mask = /^CapBnd:\s+([0-9a-f]+)$/m.exec((await deps.machine.read('/proc/self/status')) ?? '')?.[1];
  if (mask === undefined || !deps.machine.root) return [];
  const has = ((BigInt(`0x${mask}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
  if (has) return [];
  const base = { id: 'capabilities', title: 'Capabilities' };
  const found = 'CAP_SYS_RESOURCE is missing on this machine';
  if (Number(info.ServerVersion.split('.')[0]) > 20) {
    const why = 'Nothing may lower oom_score_adj: the node image of kindproof allows for it.';
    return [fine(base.id, base.title, found, why)];
  }
  return [
    {
      ...base,
      status: 'problem',
      found: `${found}, and Docker ${info.ServerVersion} cannot start privileged containers without it`,
      why: 'Every node of a kind cluster is a privileged container.',
      remedy: 'Install a newer engine (26.1 is known to work), or a machine with all capabilities.',
    },
  ];
}

async function buildx(deps: PreflightDeps, facts: EngineFacts, need: PreflightNeed): Promise<Finding> {
  if (facts.buildx !== undefined) return fine('buildx', 'BuildKit', `buildx ${facts.buildx}`);
  const needed = need.buildImages || need.buildNodeImage;
  return {
    id: 'buildx',
    title: 'BuildKit',
    status: needed ? 'problem' : 'warning',
    found: 'the docker client has no buildx plug-in',
    why: 'Images are built with BuildKit: its caches and secrets are not in the old builder.',
    ...(await buildxRepair(deps)),
  };
}
