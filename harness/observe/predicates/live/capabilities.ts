/** Linux capabilities: names in manifests, bits in /proc. */
import { field } from '../../../kube/manifests/objects.ts';

/** By bit (Linux, include/uapi/linux/capability.h). */
const NAMES = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST ' +
  'NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE ' +
  'SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM ' +
  'BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
).split(' ');

const ALL = (1n << 64n) - 1n;

/** Bits of a set as /proc shows it, 16 hexadecimal digits; none when it is missing. */
export function bitsOf(set: string | undefined): bigint {
  return set !== undefined && /^[0-9a-f]+$/i.test(set) ? BigInt(`0x${set}`) : 0n;
}

/** `NET_ADMIN, NET_RAW`, by bit. */
export function capabilityNames(bits: bigint): string {
  return NAMES.filter((_, bit) => (bits >> BigInt(bit)) & 1n).join(', ');
}

/**
 * Bits that a process must not have by `capabilities` of a security context. Read as its author means it: names have no prefix CAP_, and
 * container runtimes ignore one that has it.
 */
export function droppedBits(capabilities: unknown): bigint {
  const added = namesIn(capabilities, 'add');
  const dropped = namesIn(capabilities, 'drop');
  const named = maskOf(dropped);
  if (!dropped.includes('ALL')) return named;
  // What is added is kept, unless it is dropped by name.
  return added.includes('ALL') ? named : (ALL & ~maskOf(added)) | named;
}

/** Bits that a process is to have: those that are added by name. */
export function addedBits(capabilities: unknown): bigint {
  return maskOf(namesIn(capabilities, 'add')) & ~maskOf(namesIn(capabilities, 'drop'));
}

function namesIn(capabilities: unknown, key: 'add' | 'drop'): string[] {
  const names = field(capabilities, key);
  return Array.isArray(names) ? names.map((name) => String(name).toUpperCase().replace(/^CAP_/, '')) : [];
}

function maskOf(names: readonly string[]): bigint {
  return NAMES.reduce((mask, name, bit) => (names.includes(name) ? mask | (1n << BigInt(bit)) : mask), 0n);
}
