/** Builds helm's command line. */
import type { HelmCapabilities } from './helm-capabilities.ts';
import type { ChartSource, Subject } from './types.ts';

export function valueArguments(subject: Subject): string[] {
  return [
    ...subject.values.flatMap((file) => ['--values', file]),
    ...subject.set.flatMap((pair) => ['--set', pair]),
  ];
}

/** `NAME CHART --namespace NS --values …`. */
export function sourceArguments(source: ChartSource): string[] {
  return [source.releaseName, source.chart, '--namespace', source.namespace, ...valueArguments(source)];
}

export function capabilityArguments({ kubeVersion, apiVersions = [] }: HelmCapabilities): string[] {
  return [
    ...(kubeVersion === undefined ? [] : ['--kube-version', kubeVersion]),
    ...apiVersions.flatMap((version) => ['--api-versions', version]),
  ];
}

/** Helm pipes the manifests through `program ARGS…`. */
export function postRendererArguments(program: string, args: readonly string[]): string[] {
  return ['--post-renderer', program, ...args.flatMap((arg) => ['--post-renderer-args', arg])];
}

/** A duration in helm's syntax: `90s`. */
export function duration(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 1000))}s`;
}
