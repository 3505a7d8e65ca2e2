#!/usr/bin/env node
/**
 * Helm's post-renderer: `KINDPROOF_PATCHES=JSON node post-render.mjs < manifests`. Helm starts it as a separate program, so it loads
 * post-render.ts through tsx. Errors go to standard error, which helm prints.
 */
import { text } from 'node:stream/consumers';
import { tsImport } from 'tsx/esm/api';

try {
  const { postRender } = await tsImport('./post-render.ts', import.meta.url);
  const patches = JSON.parse(process.env.KINDPROOF_PATCHES);
  process.stdout.write(postRender(await text(process.stdin), patches));
} catch (error) {
  process.stderr.write(
    `kindproof-post-render: ${JSON.stringify({ code: error.code, message: error.message, hint: error.hint })}\n`,
  );
  process.exitCode = 1;
}
