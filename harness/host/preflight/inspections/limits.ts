/** Kernel and process limits that several kubelets on one machine reach. */
import { fine, type Finding, type Inspection, type PreflightDeps } from '../finding.ts';

const WHY_INOTIFY =
  'All nodes share the limits of this machine; systemd, containerd and the kubelet of every node use some. When none is ' +
  'left, nodes fail with "too many open files" (kind\'s known issues, "Pod errors due to too many open files").';

interface Sysctl {
  id: string;
  title: string;
  name: string;
  /** Below this, clusters with several nodes are known to fail. */
  least: number;
  /** What `fix` sets. */
  wanted: number;
}

const SYSCTLS: readonly Sysctl[] = [
  {
    id: 'inotify-instances',
    title: 'inotify instances',
    name: 'fs.inotify.max_user_instances',
    least: 512,
    wanted: 1024,
  },
  {
    id: 'inotify-watches',
    title: 'inotify watches',
    name: 'fs.inotify.max_user_watches',
    least: 65_536,
    wanted: 524_288,
  },
];

/** inotify limits; `fix` raises them until the next reboot. */
export const inspectInotify: Inspection = async (deps, need) => {
  if (need.cluster === 'existing') return [];
  return Promise.all(SYSCTLS.map((sysctl) => inotify(deps, sysctl)));
};

async function inotify(deps: PreflightDeps, sysctl: Sysctl): Promise<Finding> {
  const path = `/proc/sys/${sysctl.name.replaceAll('.', '/')}`;
  const text = await deps.machine.read(path);
  const value = Number(text?.trim() ?? Number.NaN);
  const { id, title, name, least, wanted } = sysctl;
  if (Number.isNaN(value)) return fine(id, title, `no such limit on ${deps.machine.platform}`);
  if (value >= wanted) return fine(id, title, String(value));
  const assignment = `${name}=${wanted}`;
  return {
    id,
    title,
    status: value < least ? 'problem' : 'warning',
    found: `${value}, at least ${least} needed, ${wanted} recommended`,
    why: WHY_INOTIFY,
    remedy:
      `sudo sysctl -w ${assignment}` +
      `\nto keep it after a reboot: echo ${assignment} | sudo tee -a /etc/sysctl.d/99-kindproof.conf`,
    ...(deps.machine.root
      ? {
          changes: `set ${assignment} until the next reboot`,
          fix: () => deps.machine.write(path, `${wanted}\n`),
        }
      : {}),
  };
}

/** The hard limit on open files. Containers inherit it from the engine, which usually has the same limit as this process. */
export const inspectOpenFiles: Inspection = async (deps) => {
  const limits = (await deps.machine.read('/proc/self/limits')) ?? '';
  const match = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits);
  if (!match) return [];
  const hard = match[2] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(match[2]);
  const found = `hard limit ${match[2]}, soft limit ${match[1]}`;
  if (hard >= 8192) return [fine('open-files', 'Open files', found)];
  return [
    {
      id: 'open-files',
      title: 'Open files',
      status: hard < 1024 ? 'problem' : 'warning',
      found: `${found}; 8192 needed`,
      why: 'The API server, etcd and containerd of a cluster keep thousands of files and connections open.',
      remedy:
        'Raise the hard limit (`ulimit -Hn`, /etc/security/limits.conf, or LimitNOFILE of the service that starts this shell).',
    },
  ];
};
