import { describe, expect, it } from 'vitest';
import type { KubeObject, PodSpec } from '../../harness/kube/api/types.ts';
import { object } from '../../harness/testing/sample-objects.ts';
import { agentIn } from './agent.ts';

function daemonSet(name: string, spec: Partial<PodSpec> = {}): KubeObject {
  return object('apps/v1', 'DaemonSet', name, {
    spec: { template: { spec: { containers: [{ name: 'one', image: 'one:1' }], ...spec } } },
  });
}

const titleOf = (...objects: KubeObject[]): string => agentIn({ objects, namespace: 'demo' }).workload.title;
const gpu = { runtimeClassName: 'nvidia' };

describe('the agent', () => {
  it.each<[string, KubeObject[], string]>([
    ['the documented name', [daemonSet('other', gpu), daemonSet('k8s-mcp-agent')], 'k8s-mcp-agent'],
    ['a RuntimeClass', [daemonSet('logs'), daemonSet('probe', gpu)], 'probe'],
    ['being the only one', [daemonSet('probe')], 'probe'],
  ])('is told by %s', (_title, objects, name) => {
    expect(titleOf(...objects)).toBe(`DaemonSet ${name}`);
  });

  it('cannot be told between two that are alike', () => {
    expect(() => titleOf(daemonSet('a', gpu), daemonSet('b', gpu))).toThrow(
      '2 candidates for the agent, and none has the documented name: DaemonSet a and DaemonSet b',
    );
  });

  it('is missed when there is no DaemonSet', () => {
    expect(() => titleOf(object('v1', 'ConfigMap', 'a'))).toThrow('the chart renders no DaemonSet');
  });
});

it('its container is the one that idles for sessions', () => {
  const containers = [
    { name: 'logs', image: 'logs:1' },
    { name: 'shell', image: 'agent:1', stdin: true },
  ];
  const objects = [daemonSet('probe', { containers })];
  expect(agentIn({ objects, namespace: 'demo' }).container.name).toBe('shell');
});
