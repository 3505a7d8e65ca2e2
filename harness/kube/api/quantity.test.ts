import { describe, expect, it } from 'vitest';
import { formatBytes, parseQuantity } from './quantity.ts';

describe('parseQuantity', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    [2, 2],
    ['0.5', 0.5],
    ['.5', 0.5],
    ['2.', 2],
    ['+3', 3],
    ['-1', -1],
    ['500m', 0.5],
    ['1m', 0.001],
    ['3m', 0.003],
    ['7m', 0.007],
    ['100u', 0.0001],
    ['5n', 5e-9],
    ['1k', 1000],
    ['1.5k', 1500],
    ['1M', 1e6],
    ['1G', 1e9],
    ['1T', 1e12],
    ['1P', 1e15],
    ['1E', 1e18],
    ['1Ki', 1024],
    ['64Mi', 67_108_864],
    ['1.5Gi', 1_610_612_736],
    ['1Ti', 2 ** 40],
    ['1Pi', 2 ** 50],
    ['1Ei', 2 ** 60],
    ['1e3', 1000],
    ['1E3', 1000],
    ['12e-1', 1.2],
    ['128974848', 128_974_848],
    ['129e6', 129_000_000],
  ])('%j is %d', (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  it.each([
    '',
    ' ',
    '1 Gi',
    '1KB',
    '1K',
    '10mi',
    'Mi',
    'one',
    '1.2.3',
    '1e',
    '--1',
    '1Kib',
    '1e3Mi',
    '0x10',
    '１',
  ])('rejects %j', (text) => {
    expect(() => parseQuantity(text)).toThrow(expect.objectContaining({ code: 'E_QUANTITY' }));
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0'],
    [512, '512'],
    [1024, '1Ki'],
    [67_108_864, '64Mi'],
    [1_610_612_736, '1.5Gi'],
    [1_234_567, '1.18Mi'],
  ])('%d is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
