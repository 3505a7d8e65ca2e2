import { describe, expect, it } from 'vitest';
import { CONTENDERS, peerRows, rotated } from './peer-rows.ts';

describe('peerRows', () => {
  it('compares within a round', () => {
    const rows = peerRows([
      { helm: 10_000, chainsaw: 20_000, kindproof: 12_000 },
      // Everything takes twice as long.
      { helm: 20_000, chainsaw: 40_000, kindproof: 24_000 },
      { helm: 10_000, chainsaw: 16_000, kindproof: 16_000 },
    ]);
    expect(rows.map(({ name, unit, median }) => [name, unit, median])).toEqual([
      ['helm install and uninstall, --wait', 'ms', 10_000],
      ['chainsaw', 'ms', 20_000],
      ['kindproof', 'ms', 16_000],
      ['kindproof : chainsaw, target 0.8', 'ratio', 0.6],
      ['kindproof : helm, target 1.25', 'ratio', 1.2],
    ]);
  });

  it('has no rows without rounds', () => {
    expect(peerRows([])).toEqual([]);
  });
});

it('everybody comes first once in three rounds', () => {
  const orders = [0, 1, 2, 3].map((round) => rotated(CONTENDERS, round));
  expect(orders.map(([first]) => first)).toEqual(['helm', 'chainsaw', 'kindproof', 'helm']);
  for (const order of orders) expect([...order].sort()).toEqual([...CONTENDERS].sort());
});
