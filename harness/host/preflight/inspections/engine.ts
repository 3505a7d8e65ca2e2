/** The container engine: reachable, recent enough, and able to run the nodes of a cluster. */
import type { EngineFacts, EngineInfo } from '../engine-facts.ts';
import { engineFacts } from '../engine-facts.ts';
import { fine, type Finding, type Inspection, type PreflightDeps, type PreflightNeed } from '../finding.ts';
import { buildxRemedy, engineRemedy } from '../fixes/remedies.ts';
import { hasSysResource } from '../machine.ts';

/** API 1.41 (Docker 20.10) brought `--cgroupns=private`, which kind sets for every node. */
const LEAST_API = [1, 41] as const;

export const inspectEngine: Inspection = async (deps, need) => {
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
    why: 'It runs the nodes of a kind cluster as containers, and builds images.',
    ...(await engineRemedy(deps, facts)),
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
      why: "kind's support of Podman is experimental, and kindproof has only been tested with Docker.",
      remedy: 'Use a Docker engine, or continue at your own risk.',
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
      why: 'With a rootless engine, nodes can limit memory and CPU only if cgroup v2 is delegated to the user.',
      remedy: v2
        ? 'Delegate cpu, cpuset, io, memory and pids to the user: https://kind.sigs.k8s.io/docs/user/rootless/'
        : 'Boot with cgroup v2 (systemd.unified_cgroup_hierarchy=1), or use an engine that runs as root.',
    };
  }
  const why =
    version === '1'
      ? 'Kubernetes 1.35 and newer reject cgroup v1 by default; the node image of kindproof allows it.'
      : '';
  return { ...base, status: 'ok', why, remedy: '' };
}

/**
 * Docker 20.10 requests every capability for a privileged container, and the kernel refuses if the machine itself lacks one (observed with
 * CAP_SYS_RESOURCE on a sandboxed machine). Docker 26.1 requests only the available ones.
 */
async function privileged(deps: PreflightDeps, info: EngineInfo): Promise<Finding[]> {
  if (!deps.machine.root || hasSysResource(await deps.machine.read('/proc/self/status'))) return [];
  const base = { id: 'capabilities', title: 'Linux capabilities' };
  const found = 'CAP_SYS_RESOURCE is missing on this machine';
  if (Number(info.ServerVersion.split('.')[0]) > 20) {
    const why = 'No process may lower its oom_score_adj; the node image of kindproof works without it.';
    return [fine(base.id, base.title, found, why)];
  }
  return [
    {
      ...base,
      status: 'problem',
      found: `${found}, and Docker ${info.ServerVersion} cannot start privileged containers without it`,
      why: 'Every node of a kind cluster is a privileged container.',
      remedy: 'Install a newer engine (26.1 is known to work), or use a machine with all capabilities.',
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
    why: 'Image builds use caches and secrets of BuildKit, which the old builder lacks.',
    ...(await buildxRemedy(deps)),
  };
}
