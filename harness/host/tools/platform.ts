import type { Platform } from './versions.ts';

const ARCHITECTURES: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/** This machine in Go's words; undefined where kindproof has not been tried. */
export function thisPlatform(
  os: string = process.platform,
  arch: string = process.arch,
): Platform | undefined {
  const name = ARCHITECTURES[arch];
  if (name === undefined || (os !== 'linux' && os !== 'darwin')) return undefined;
  return `${os}-${name}` as Platform;
}
