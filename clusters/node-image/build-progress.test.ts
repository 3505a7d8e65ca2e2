import { expect, test } from 'vitest';
import { buildProgress } from './build-progress.ts';

function progressOf(output: string): string[] {
  const lines: string[] = [];
  const onLine = buildProgress((text) => lines.push(text));
  for (const line of output.trim().split('\n')) onLine(line.trim());
  return lines;
}

test('announces start and duration of a stage', () => {
  const output = `
    #8 [kubernetes 1/1] RUN --mount=type=cache,target=/go go-build k8s.io/kubernetes
    #8 1.2 go: downloading k8s.io/api v0.36.3
    #8 DONE 304.8s
  `;
  expect(progressOf(output)).toEqual(['building kubernetes', 'built kubernetes in 304.8 s']);
});

test('prints nothing for cached stages', () => {
  expect(progressOf('#9 [etcd 1/1] RUN go-build etcd\n#9 CACHED')).toEqual([]);
});

test('announces a stage with several steps once, and no step shorter than 1 s', () => {
  const output = `
    #7 [rootfs 2/9] RUN apt-get update
    #7 DONE 18.0s
    #9 [rootfs 3/9] RUN find
    #9 0.1 removed
    #9 DONE 0.1s
  `;
  expect(progressOf(output)).toEqual(['building rootfs', 'built rootfs in 18.0 s']);
});

test('lists the running stages when a parallel stage ends', () => {
  const output = `
    #8 [kubernetes 1/1] RUN go-build k8s.io/kubernetes
    #8 0.1 go: downloading
    #9 [etcd 1/1] RUN go-build etcd
    #9 0.1 go: downloading
    #9 DONE 14.0s
  `;
  expect(progressOf(output).at(-1)).toBe('built etcd in 14.0 s, still building kubernetes');
});
