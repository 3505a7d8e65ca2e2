import type { CommandRunner } from '../../core/command.ts';
import type { Log } from '../../core/log.ts';
import type { ToolName, ToolPin } from './versions.ts';

export interface ToolDeps {
  run: CommandRunner;
  log: Log;
  /** The project's `.cache`; tools are in `<cacheDir>/tools/<name>-<version>/<name>`. */
  cacheDir: string;
  /** Source of `PATH`, proxies and Go settings. */
  env: Record<string, string | undefined>;
  /** One line about a step that takes time, or a decision. */
  onProgress?: ((text: string) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Default: the pinned versions; replaced in tests. */
  pins?: Record<ToolName, ToolPin>;
}
