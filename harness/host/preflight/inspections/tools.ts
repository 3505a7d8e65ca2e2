/** kind and helm: there already, or how they will be had. */
import type { ResolvedTool } from '../../tools/resolve-tool.ts';
import { expectedSource, locateTool, resolveTool } from '../../tools/resolve-tool.ts';
import type { ToolName } from '../../tools/versions.ts';
import { TOOL_PINS } from '../../tools/versions.ts';
import type { Check, Finding, PreflightDeps } from '../finding.ts';
import { fine } from '../finding.ts';

const WORDS: Record<ResolvedTool['source'], string> = {
  path: 'on PATH',
  cache: 'in the cache',
  release: 'downloaded',
  module: 'built',
};

export const checkTools: Check = (deps, need) => Promise.all(need.tools.map((name) => tool(deps, name)));

async function tool(deps: PreflightDeps, name: ToolName): Promise<Finding> {
  const id = `tool-${name}`;
  const located = await locateTool(name, { ...deps, onProgress: undefined });
  if (located.tool) {
    const { version, source, path } = located.tool;
    return fine(id, name, `${version} ${WORDS[source]} (${path})`);
  }
  const pin = TOOL_PINS[name];
  const { how, possible } = await expectedSource(name, deps);
  const found = located.tried.join('; ');
  const why = `Clusters are made with kind and charts installed with helm; only ${pin.accepts.words} has been tried.`;
  if (!possible) {
    return {
      id,
      title: name,
      status: 'problem',
      found: `${found}; no checksum is pinned for this platform and there is no Go to build it`,
      why,
      remedy: `Put ${name} ${pin.version} on PATH, or install Go ${pin.module.go} or newer.`,
    };
  }
  return {
    id,
    title: name,
    status: 'warning',
    found,
    why: `${why} The next run gets ${pin.version} by itself: ${how}.`,
    remedy: `npm run doctor -- --fix   (does it now), or put ${name} ${pin.accepts.words} on PATH`,
    fix: async () => {
      await resolveTool(name, deps);
    },
  };
}
