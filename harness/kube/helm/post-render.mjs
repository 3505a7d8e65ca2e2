#!/usr/bin/env node
/**
 * Helm's post-renderer: `KINDPROOF_PATCHES=JSON node post-render.mjs < manifests`. Helm starts it as a separate program. In a run it loads
 * what scripts/compile.mjs has compiled (KINDPROOF_CODE), otherwise post-render.ts through tsx. Errors go to standard error, which helm
 * prints.
 */
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

/** @returns {Promise<typeof import('./post-render.ts')>} */
async function load() {
  const code = process.env.KINDPROOF_CODE;
  if (code !== undefined) {
    return import(pathToFileURL(join(code, 'harness', 'kube', 'helm', 'post-render.mjs')).href);
  }
  const { tsImport } = await import('tsx/esm/api');
  return tsImport('./post-render.ts', import.meta.url);
}

try {
  const { postRender } = await load();
  const patches = JSON.parse(process.env.KINDPROOF_PATCHES);
  process.stdout.write(postRender(await text(process.stdin), patches));
} catch (error) {
  process.stderr.write(
    `kindproof-post-render: ${JSON.stringify({ code: error.code, message: error.message, hint: error.hint })}\n`,
  );
  process.exitCode = 1;
}
