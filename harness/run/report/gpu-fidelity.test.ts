import { expect, it } from 'vitest';
import { gpuCounts, gpuFidelity } from './gpu-fidelity.ts';

const plain = { name: 'a', gpus: 0 };
const patched = { name: 'b', gpus: 4, gpuSource: 'status-patch' as const };
const plugged = { name: 'c', gpus: 1, gpuSource: 'device-plugin' as const };
const real = { name: 'd', gpus: 8, gpuSource: 'real' as const };

it.each([
  { nodes: [plain], says: undefined },
  { nodes: [plain, patched], says: 'scheduling only (capacity by status patch)' },
  { nodes: [plugged], says: 'allocation by a fake device plugin' },
  { nodes: [real, { ...real, name: 'e' }], says: 'real' },
  {
    nodes: [patched, real],
    says: 'scheduling only (capacity by status patch) on b; real on d',
  },
])('says how faithful GPUs are, case %#', ({ nodes, says }) => {
  expect(gpuFidelity(nodes)).toBe(says);
});

it('counts the GPUs of each node that has any', () => {
  expect(gpuCounts([plain, patched, plugged])).toBe('4 on b, 1 on c');
});
