/** A chart source as helm's command line has it. */
import type { ChartSource, RenderOptions, Subject } from './types.ts';

/** `--values`, `--set` and `--set-string` in helm's order of precedence. */
export function valueArguments(subject: Subject): string[] {
  return [
    ...subject.values.flatMap((file) => ['--values', file]),
    ...subject.set.flatMap((pair) => ['--set', pair]),
    ...(subject.setString ?? []).flatMap((pair) => ['--set-string', pair]),
  ];
}

/** `NAME CHART --namespace NS` and the values. */
export function sourceArguments(source: ChartSource): string[] {
  return [source.releaseName, source.chart, '--namespace', source.namespace, ...valueArguments(source)];
}

export function renderArguments(options: RenderOptions): string[] {
  return [
    ...(options.kubeVersion === undefined ? [] : ['--kube-version', options.kubeVersion]),
    ...(options.apiVersions ?? []).flatMap((version) => ['--api-versions', version]),
    ...(options.isUpgrade ? ['--is-upgrade'] : []),
  ];
}

/** Helm runs `program ARGS…` with the manifests on standard input and takes its standard output instead. */
export function postRendererArguments(program: string, args: readonly string[]): string[] {
  return ['--post-renderer', program, ...args.flatMap((arg) => ['--post-renderer-args', arg])];
}

/** Helm's duration syntax. */
export function duration(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 1000))}s`;
}
