/** Downloads a tool from its project's release page and verifies the pinned SHA-256. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EnvHttpProxyAgent, fetch } from 'undici';
import { throwIfAborted } from '../../core/deadline.ts';
import { messageOf } from '../../core/errors.ts';
import { intoCache } from './cache.ts';
import { thisPlatform } from './platform.ts';
import type { ToolDeps } from './deps.ts';
import type { ToolPin } from './versions.ts';

/** Fails within seconds without internet access; leaves time for a slow connection. */
const CONNECT_MS = 4000;
const DOWNLOAD_MS = 180_000;

/**
 * Downloads the pinned release into the cache.
 *
 * @returns path of the program
 * @throws Error without a checksum for this platform, when the page is unreachable, or when the checksum differs
 */
export async function downloadRelease(pin: ToolPin, deps: ToolDeps): Promise<string> {
  const platform = thisPlatform();
  const expected = platform && pin.release.sha256[platform];
  if (platform === undefined || expected === undefined) {
    deps.log.info('release skipped: no pinned checksum', { tool: pin.name, platform });
    throw new Error(`no checksum is pinned for ${platform ?? `${process.platform} ${process.arch}`}`);
  }
  const url = pin.release.url(platform);
  deps.onProgress?.(`downloading ${pin.name} ${pin.version}`);
  return intoCache(pin, deps, async (file, folder) => {
    const download = join(folder, 'download');
    const sum = await fetchTo(url, download, deps);
    if (sum !== expected) {
      deps.log.warn('checksum mismatch', { tool: pin.name, url, expected, actual: sum });
      throw new Error(`${url} has SHA-256 ${sum}, pinned is ${expected}`);
    }
    const member = pin.release.member?.(platform);
    if (member === undefined) {
      await rename(download, file);
      return;
    }
    await deps.run.run('tar', ['-xzf', download, '-C', folder, member], { signal: deps.signal });
    await rename(join(folder, member), file);
  });
}

async function fetchTo(url: string, file: string, deps: ToolDeps): Promise<string> {
  const { env } = deps;
  const dispatcher = new EnvHttpProxyAgent({
    httpProxy: env['http_proxy'] ?? env['HTTP_PROXY'] ?? '',
    httpsProxy: env['https_proxy'] ?? env['HTTPS_PROXY'] ?? '',
    noProxy: env['no_proxy'] ?? env['NO_PROXY'] ?? '',
    connect: { timeout: CONNECT_MS },
    headersTimeout: 15_000,
    bodyTimeout: 30_000,
  });
  const limit = AbortSignal.timeout(DOWNLOAD_MS);
  const signal = deps.signal ? AbortSignal.any([deps.signal, limit]) : limit;
  try {
    const response = await fetch(url, { dispatcher, signal });
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
    const hash = createHash('sha256');
    const body = Readable.fromWeb(response.body);
    body.on('data', (chunk: Buffer) => hash.update(chunk));
    await pipeline(body, createWriteStream(file), { signal });
    return hash.digest('hex');
  } catch (error) {
    throwIfAborted(deps.signal);
    throw new Error(`cannot download ${url}: ${messageOf(error)}`, { cause: error });
  } finally {
    await dispatcher.destroy().catch(() => {});
  }
}
