import type { ResolvedTool } from '../../../host/tools/resolve-tool.ts';
import { resolveTool } from '../../../host/tools/resolve-tool.ts';
import type { ToolName } from '../../../host/tools/versions.ts';
import type { Task } from '../task.ts';

/** Finds, downloads or builds the programs that the run uses. */
export const tools: Task = {
  title: 'tools',
  async setup(run, { command, log, signal, onProgress }) {
    const resolve = (name: ToolName): Promise<ResolvedTool> =>
      resolveTool(name, {
        run: command,
        log,
        cacheDir: run.project.cacheDirectory,
        env: process.env,
        onProgress,
        signal,
      });
    const version = command.run('docker', ['version', '--format', '{{.Server.Version}}']);
    // Awaited below.
    version.catch(() => {});
    // One after the other: a build uses all cores.
    const helm = await resolve('helm');
    const kind = run.provider.isExisting ? undefined : await resolve('kind');
    const engine = await version;
    run.tools = { helm: helm.path, ...(kind && { kind: kind.path }) };
    Object.assign(run.report.tools, {
      node: process.version,
      helm: helm.version,
      ...(kind && { kind: kind.version }),
      docker: engine.stdout.trim(),
    });
  },
};
