/** kind and helm: where they are, or how kindproof will get them. */
import type { ResolvedTool } from '../../tools/resolve-tool.ts';
import { expectedSource, locateTool, resolveTool } from '../../tools/resolve-tool.ts';
import type { ToolName } from '../../tools/versions.ts';
import { TOOL_PINS } from '../../tools/versions.ts';
import { fine, type Finding, type Inspection, type PreflightDeps } from '../finding.ts';

const WORDS: Record<ResolvedTool['source'], string> = {
  path: 'on PATH',
  cache: 'in the cache',
  release: 'downloaded',
  module: 'built',
};

export const inspectTools: Inspection = (deps, need) =>
  Promise.all(need.tools.map((name) => tool(deps, name)));

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
  const why = `kind creates clusters and helm installs charts; only ${name} ${pin.accepts.words} has been tested.`;
  if (!possible) {
    return {
      id,
      title: name,
      status: 'problem',
      found: `${found}; no checksum is pinned for this platform, and Go to build it is missing`,
      why,
      remedy: `Put ${name} ${pin.version} on PATH, or install Go ${pin.module.go} or newer.`,
    };
  }
  return {
    id,
    title: name,
    status: 'warning',
    found,
    why: `${why} The next run gets ${pin.version} itself: ${how}.`,
    remedy: `npm run doctor -- --fix   (gets it now), or put ${name} ${pin.accepts.words} on PATH`,
    fix: async () => {
      await resolveTool(name, deps);
    },
  };
}
