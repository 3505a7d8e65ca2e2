import { expect, it } from 'vitest';
import { gpuCounts, gpuFidelity } from './gpu-fidelity.ts';

const plain = { name: 'a', gpus: 0 };
const patched = { name: 'b', gpus: 4, gpuSource: 'status-patch' as const };
const plugged = { name: 'c', gpus: 1, gpuSource: 'device-plugin' as const };
const real = { name: 'd', gpus: 8, gpuSource: 'real' as const };

it.each([
  { nodes: [plain], expected: undefined },
  { nodes: [plain, patched], expected: 'scheduling only (capacity by status patch)' },
  { nodes: [plugged], expected: 'allocation by a fake device plugin' },
  { nodes: [real, { ...real, name: 'e' }], expected: 'real' },
  {
    nodes: [patched, real],
    expected: 'scheduling only (capacity by status patch) on b; real on d',
  },
])('describes the fidelity of the GPUs, case %#', ({ nodes, expected }) => {
  expect(gpuFidelity(nodes)).toBe(expected);
});

it('counts the GPUs of each node that has any', () => {
  expect(gpuCounts([plain, patched, plugged])).toBe('4 on b, 1 on c');
});
