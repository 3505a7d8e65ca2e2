/** Settings of a pod that the kubelet or the container runtime refuses, so that no sandbox or container is created. */

interface RuntimeRefusal {
  /** Completes "the pod …" or "the container …". */
  says: string;
  hint: string;
}

/** Wording of containerd (internal/cri/server) and the kubelet. */
const RULES: readonly { pattern: RegExp; says: (found: string) => string; hint: string }[] = [
  {
    pattern: /user group "?([^"\s]+)"? is specified without user/,
    says: (group) => `has runAsGroup ${group} without runAsUser`,
    hint: 'Set runAsUser beside runAsGroup: the runtime cannot start a process with a group and no user.',
  },
  {
    pattern: /sysctl "?([\w./-]+)"?/,
    says: (sysctl) => `asks for the sysctl ${sysctl}, which the node does not allow`,
    hint: 'Remove the sysctl, or allow it in the kubelet (allowedUnsafeSysctls).',
  },
  {
    pattern: /seccomp profile "?([\w./-]+)"?/,
    says: (profile) => `asks for the seccomp profile ${profile}, which the node does not have`,
    hint: 'Use the profile RuntimeDefault, or install the profile on every node.',
  },
  {
    pattern: /apparmor profile(?: not found)?:? "?([\w./-]+)"?/i,
    says: (profile) => `asks for the AppArmor profile ${profile}, which the node does not have`,
    hint: 'Use the profile RuntimeDefault, or load the profile on every node.',
  },
];

/** @returns undefined for a message that names no setting of the pod */
export function runtimeRefusal(message: string): RuntimeRefusal | undefined {
  for (const { pattern, says, hint } of RULES) {
    const found = pattern.exec(message)?.[1];
    if (found !== undefined) return { says: says(found), hint };
  }
  return undefined;
}
