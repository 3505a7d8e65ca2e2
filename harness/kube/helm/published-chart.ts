/** Charts in a registry: `oci://host/repository/chart`. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { CommandResult } from '../../core/command.ts';
import { InfrastructureError, UsageError, type KindproofError } from '../../core/errors.ts';
import { lastLines } from '../../core/wording.ts';

const SCHEME = 'oci://';

/** A chart as a registry has it. */
export interface PublishedChart {
  /** `oci://host/repository/chart` */
  reference: string;
  /** The tag that was pulled; of a range or without a version, the one that helm chose. */
  version: string;
  /** Of its manifest, `sha256:…`. */
  digest: string;
}

export function isPublished(chart: string): boolean {
  return chart.startsWith(SCHEME);
}

/** @throws UsageError E_CHART */
export function checkReference(chart: string): void {
  const [host = '', ...path] = chart.slice(SCHEME.length).split('/');
  const tag = /[:@].*$/.exec(path.at(-1) ?? '')?.[0];
  if (tag !== undefined) {
    throw new UsageError('E_CHART', `${chart} has a tag or digest`, {
      hint: `Give the version on its own: --chart ${chart.slice(0, -tag.length)} --chart-version ${/^:[^@]+/.exec(tag)?.[0].slice(1) ?? 'VERSION'}`,
    });
  }
  if (/^[\w.-]+(:\d+)?$|^\[[\da-f:]+\](:\d+)?$/i.test(host) && path.length > 0 && path.every(isSegment))
    return;
  throw new UsageError('E_CHART', `${chart} is not a reference to a chart`, {
    hint: 'It has the form oci://HOST/REPOSITORY/CHART, for example oci://ghcr.io/me/charts/toolman.',
  });
}

/** Source: OCI distribution specification, "Pulling manifests". */
function isSegment(text: string): boolean {
  return /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/.test(text);
}

/** Arguments of `helm pull`. Registries on this machine have no certificate. */
export function pullArguments(chart: string, version: string | undefined, folder: string): string[] {
  return [
    'pull',
    chart,
    ...(version === undefined ? [] : ['--version', version]),
    ...(/^oci:\/\/(?:localhost|127\.[\d.]+|\[::1\])(?::|\/)/.test(chart) ? ['--plain-http'] : []),
    '--destination',
    folder,
  ];
}

/**
 * Where `helm registry login` stores credentials. Without this file, helm uses those of docker. Source: Helm's documentation, "Helm
 * Environment Variables".
 */
export function registryConfig(env: Record<string, string | undefined>): string {
  const own = env['HELM_REGISTRY_CONFIG'] ?? '';
  if (own !== '') return own;
  const home = env['HOME'] ?? homedir();
  const inHome = process.platform === 'darwin' ? join(home, 'Library/Preferences') : join(home, '.config');
  const config = env['HELM_CONFIG_HOME'] ?? join(env['XDG_CONFIG_HOME'] ?? inHome, 'helm');
  return join(config, 'registry', 'config.json');
}

/** What `helm pull` printed: `Pulled: host/repository/chart:1.0.0`, `Digest: sha256:…`. */
export function parsePulled(reference: string, { stdout, stderr }: CommandResult): PublishedChart {
  const text = `${stdout}\n${stderr}`;
  const [, tag] = /^Pulled: \S+:([^\s:]+)$/m.exec(text) ?? [];
  const [, digest] = /^Digest: (sha256:[0-9a-f]{64})$/m.exec(text) ?? [];
  if (tag === undefined || digest === undefined) {
    throw new InfrastructureError('E_HELM', `helm pulled ${reference}, but printed no digest`, {
      details: { output: text.slice(-2000) },
    });
  }
  // A tag cannot have a plus sign; helm writes an underscore for it.
  return { reference, version: tag.replaceAll('_', '+'), digest };
}

/** Whether another attempt can help: the registry answers, but does not deliver at the moment. */
export function isTransient({ stderr }: CommandResult): boolean {
  return /\b(?:429|50[0234])\b|too ?many ?requests|\bEOF\b|connection reset|broken pipe/i.test(stderr);
}

/** Why `helm pull` failed: the reference is wrong (usage), or the registry failed (infrastructure). */
export function pullFailure(
  chart: string,
  version: string | undefined,
  result: CommandResult,
): KindproofError {
  const why = lastLines(result.stderr.replaceAll(/^(?:WARNING: .*|Pulled: .*|Digest: .*)$/gm, ''), 3)
    .replace(/^Error: (?:failed to perform "\w+" on source: )?/, '')
    .trim();
  const what = `chart ${chart}${version === undefined ? '' : ` ${version}`}`;
  const host = chart.slice(SCHEME.length).split('/')[0] ?? '';
  const details = { stderr: result.stderr.slice(-4000) };
  const usage = (message: string, hint: string) =>
    new UsageError('E_CHART', `${what} ${message}: ${why}`, { hint, details });
  const infrastructure = (code: `E_${string}`, message: string, hint: string) =>
    new InfrastructureError(code, `${what} ${message}: ${why}`, { hint, details });
  if (isTransient(result)) {
    return infrastructure(
      'E_CHART_PULL',
      'cannot be pulled',
      `${host} does not deliver now. Run again later.`,
    );
  }
  if (/mismatch|does not match|verification failed/i.test(why)) {
    return infrastructure(
      'E_CHART_CORRUPT',
      'is not what its digest promises',
      `A proxy or mirror between this machine and ${host} changes or damages what it delivers.`,
    );
  }
  if (/\b40[13]\b|unauthorized|denied|forbidden|basic credential not found/i.test(why)) {
    return usage(
      'is refused by its registry',
      `Check the reference; if the chart is private, run \`helm registry login ${host}\`.`,
    );
  }
  if (
    /not found|\b404\b|name unknown|could not locate a version|no matching|unable to locate any tags/i.test(
      why,
    )
  ) {
    return usage('does not exist', 'Check reference and --chart-version. The version is that in Chart.yaml.');
  }
  if (/mediatype|media type|minimum number of descriptors|unsupported|not a (?:helm )?chart/i.test(why)) {
    return usage('is not a chart', 'The registry has something else under this name, for example an image.');
  }
  if (/improper constraint|invalid semantic version|invalid reference|invalid version/i.test(why)) {
    return usage('cannot be looked up', 'A version is written as in Chart.yaml, for example 1.4.0.');
  }
  return infrastructure(
    'E_CHART_PULL',
    'cannot be pulled',
    `Check network, proxy and DNS: \`helm pull ${chart}\`.`,
  );
}
