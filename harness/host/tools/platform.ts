import type { Platform } from './versions.ts';

const ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/** This machine's platform; undefined when kindproof has not been tested on it. */
export function thisPlatform(
  os: string = process.platform,
  arch: string = process.arch,
): Platform | undefined {
  const name = ARCHITECTURES[arch];
  if (name === undefined || (os !== 'linux' && os !== 'darwin')) return undefined;
  return `${os}-${name}` as Platform;
}
