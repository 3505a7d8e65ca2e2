import { describe, expect, it } from 'vitest';
import { isAboutNodes, parseSchedulerMessage } from './scheduler-message.ts';

describe('parseSchedulerMessage', () => {
  it.each([
    ['2 Insufficient nvidia.com/gpu', 'insufficient', 2, 'nvidia.com/gpu'],
    ['3 Insufficient memory', 'insufficient', 3, 'memory'],
    ['1 node(s) had untolerated taint {tools-only: true}', 'taint', 1, 'tools-only=true'],
    [
      '1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }',
      'taint',
      1,
      'node-role.kubernetes.io/control-plane',
    ],
    ['1 node(s) had untolerated taint(s)', 'taint', 1, undefined],
    ["4 node(s) didn't match Pod's node affinity/selector", 'node-selector', 4, undefined],
    ["2 node(s) didn't match pod anti-affinity rules", 'anti-affinity', 2, undefined],
    ["2 node(s) didn't satisfy existing pods anti-affinity rules", 'anti-affinity', 2, undefined],
    ["2 node(s) didn't match pod affinity rules", 'affinity', 2, undefined],
    ['1 node(s) had volume node affinity conflict', 'volume-node', 1, undefined],
    ["1 node(s) didn't match PersistentVolume's node affinity", 'volume-node', 1, undefined],
    ["3 node(s) didn't find available persistent volumes to bind", 'no-volume', 3, undefined],
    ['persistentvolume "pvc-1" not found. not found', 'no-volume', undefined, undefined],
    ['pod has unbound immediate PersistentVolumeClaims', 'unbound-claim', undefined, undefined],
    ['persistentvolumeclaim "data" not found', 'missing-claim', undefined, 'data'],
    ["3 node(s) didn't match pod topology spread constraints", 'topology-spread', 3, undefined],
    ["1 node(s) didn't have free ports for the requested pod ports", 'host-port', 1, undefined],
    ['1 Too many pods', 'too-many-pods', 1, undefined],
    ['1 node(s) were unschedulable', 'unschedulable', 1, undefined],
    ['2 node(s) are on fire', 'other', 2, undefined],
  ])('parses %j', (text, obstacle, nodes, detail) => {
    const [reason, ...others] = parseSchedulerMessage(`0/4 nodes are available: ${text}.`)?.reasons ?? [];
    expect(others).toEqual([]);
    expect(reason).toMatchObject({ obstacle });
    expect([reason?.nodes, reason?.detail]).toEqual([nodes, detail]);
  });

  it.each([
    '0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 2 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.',
    '0/4 nodes are available: 1 node(s) had untolerated taint {a: b}, 1 node(s) were unschedulable, 2 Insufficient nvidia.com/gpu. preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.',
  ])('ignores the part about preemption', (message) => {
    const refusal = parseSchedulerMessage(message);
    expect(refusal).toMatchObject({ available: 0, total: 4 });
    expect(refusal?.reasons.map((r) => r.obstacle)).toEqual(['taint', 'unschedulable', 'insufficient']);
    expect(refusal?.reasons.at(-1)?.detail).toBe('nvidia.com/gpu');
  });

  it('returns undefined for other texts', () => {
    expect(parseSchedulerMessage('running "VolumeBinding" filter plugin: boom')).toBeUndefined();
  });

  it.each([
    ['1 node(s) had untolerated taint {tools-only: true}', true],
    ['1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }', false],
    ["1 node(s) didn't match Pod's node affinity/selector", true],
    ['1 Insufficient cpu', false],
  ])('decides whether %j is about the nodes themselves', (text, about) => {
    const reason = parseSchedulerMessage(`0/1 nodes are available: ${text}.`)?.reasons[0];
    expect(reason && isAboutNodes(reason)).toBe(about);
  });
});
