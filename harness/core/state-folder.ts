/** Where this account keeps what has to outlive a run and is no cache. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * `${XDG_STATE_HOME:-~/.local/state}/kindproof`; it may not exist. Source of the default: XDG Base Directory Specification, which also says
 * that a relative path is invalid.
 */
export function stateFolder(env: Record<string, string | undefined>): string {
  const configured = env['XDG_STATE_HOME'] ?? '';
  const state = isAbsolute(configured) ? configured : join(env['HOME'] ?? homedir(), '.local', 'state');
  return join(state, 'kindproof');
}
