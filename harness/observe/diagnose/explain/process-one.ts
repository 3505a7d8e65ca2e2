/** What runs as process 1 of a container, as far as its command shows it. */
import { clip } from '../../../core/wording.ts';
import type { Container, Pod, PodSpec } from '../../../kube/api/types.ts';
import { allContainers } from './probe.ts';

const SHELLS = new Set(['sh', 'bash', 'ash', 'dash', 'ksh', 'zsh']);

/**
 * The shell that runs as process 1 and passes no signal on; undefined when there is none, or when the command does not show it.
 *
 * The kernel gives process 1 no default action for SIGTERM, so a shell has to replace itself (exec) or handle the signal (trap). A script
 * of one simple command is left out: many shells replace themselves there. So is a script in a file.
 *
 * @returns completes "process 1 is …"
 */
export function shellAsProcessOne(
  container: Container | undefined,
  spec: Omit<PodSpec, 'containers'>,
): string | undefined {
  // Process 1 is that of the sandbox, or of the node.
  if (spec['shareProcessNamespace'] === true || spec['hostPID'] === true) return undefined;
  const words = container?.command?.length ? [...container.command, ...(container.args ?? [])] : [];
  const [first, ...rest] = words[0]?.endsWith('busybox') ? words.slice(1) : words;
  const shell = first?.split('/').at(-1) ?? '';
  const flag = rest.findIndex((word) => /^-\w*c$/.test(word));
  const script = flag < 0 ? undefined : rest[flag + 1];
  if (!SHELLS.has(shell) || script === undefined) return undefined;
  const handles = /\btrap\s/.test(script) || /(^|[\s;&|])exec\s+[^\s<>&\d]/.test(script);
  const isSimple = !/[;&|\n]|\b(while|for|if|until)\b/.test(script.trim());
  if (handles || isSimple) return undefined;
  return `a shell without exec or trap (\`${shell} -c ${clip(script, 60)}\`), so SIGTERM does not reach its program`;
}

/** "; process 1 is a shell …" for the end of a sentence about a container that was killed; empty when no shell is to blame. */
export function blamingShell(pod: Pod | undefined, container: string): string {
  if (!pod) return '';
  const shell = shellAsProcessOne(
    allContainers(pod).find(({ name }) => name === container),
    pod.spec,
  );
  return shell === undefined ? '' : `; process 1 is ${shell}`;
}
