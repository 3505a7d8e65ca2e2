import { describe, expect, it } from 'vitest';
import type { Container, KubeObject, Volume } from '../../../harness/kube/api/types.ts';
import { podSpecOf } from '../../../harness/kube/manifests/objects.ts';
import { object, sampleContainer, sampleDeployment } from '../../../harness/testing/sample-objects.ts';
import { migrationScript, scriptIsMounted } from './migration-script.ts';

const config = object('v1', 'ConfigMap', 'scripts', { data: { 'run.sh': '#!/bin/sh\n', 'old.sh': 'x' } });

function deployment(container: Partial<Container> = {}, volume: Record<string, unknown> = {}): KubeObject {
  const source: NonNullable<Volume['configMap']> = { name: 'scripts', ...{ defaultMode: 0o555 }, ...volume };
  return sampleDeployment({
    initContainers: [
      sampleContainer({
        name: 'migrations',
        command: ['/scripts/run.sh'],
        volumeMounts: [{ name: 'scripts', mountPath: '/scripts', readOnly: true }],
        ...container,
      }),
    ],
    volumes: [{ name: 'scripts', configMap: source }],
  });
}

const scriptOf = (subject: KubeObject) =>
  migrationScript(subject, podSpecOf(subject)?.initContainers?.[0] ?? sampleContainer());

describe('migrationScript', () => {
  it.each<[string, KubeObject, string]>([
    ['as the command', deployment(), 'run.sh'],
    ['given to a shell', deployment({ command: ['sh', '/scripts/run.sh'] }), 'run.sh'],
    ['in a line of a shell', deployment({ command: ['sh', '-c', 'exec /scripts/run.sh'] }), 'run.sh'],
    ['as an argument', deployment({ command: ['sh'], args: ['/scripts/run.sh'] }), 'run.sh'],
    ['under another name', deployment({}, { items: [{ key: 'old.sh', path: 'run.sh' }] }), 'old.sh'],
    [
      'as a single file',
      deployment({ volumeMounts: [{ name: 'scripts', mountPath: '/scripts/run.sh', subPath: 'old.sh' }] }),
      'old.sh',
    ],
  ])('%s', (_title, subject, key) => {
    expect(scriptOf(subject)).toMatchObject({ path: '/scripts/run.sh', configMap: 'scripts', key });
  });

  it.each<[string, KubeObject, RegExp]>([
    ['of the image', deployment({ command: ['/app/run.sh'] }), /runs no script .* but: \/app\/run\.sh/],
    ['of a container without a command', sampleDeployment(), /but: the command of its image/],
  ])('finds none %s', (_title, subject, message) => {
    expect(() => scriptOf(subject)).toThrow(message);
  });
});

describe('scriptIsMounted', () => {
  it.each<[string, KubeObject, string]>([
    ['in order', deployment(), 'key run.sh of ConfigMap scripts, mode 555'],
    [
      'not executable',
      deployment({}, { defaultMode: 0o444 }),
      '/scripts/run.sh has mode 444, not executable',
    ],
    ['not there', deployment({}, { items: [{ key: 'a', path: 'run.sh' }] }), 'has no key a'],
    ['no script', deployment({}, { items: [{ key: 'old.sh', path: 'run.sh' }] }), 'names no interpreter'],
    [
      'writable',
      deployment({ volumeMounts: [{ name: 'scripts', mountPath: '/scripts' }] }),
      'is not mounted read-only',
    ],
  ])('%s', (_title, subject, complaint) => {
    const result = scriptIsMounted(scriptOf(subject), [config]);
    expect(result.actual).toContain(complaint);
    expect(result.ok).toBe(complaint.startsWith('key run.sh'));
  });
});
