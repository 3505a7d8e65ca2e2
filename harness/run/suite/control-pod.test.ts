import { expect, it } from 'vitest';
import { sharpestOf } from './control-pod.ts';

it.each([
  [
    'of the most frequent and the least patient',
    [
      { periodSeconds: 2, timeoutSeconds: 5 },
      { periodSeconds: 30, timeoutSeconds: 3 },
    ],
    2,
    3,
  ],
  ['by the defaults of Kubernetes', [{ periodSeconds: 20 }, {}], 10, 1],
  ['no slower than a default probe', [{ periodSeconds: 60, timeoutSeconds: 4 }], 10, 4],
])('a control probes like a probe %s', (_title, probes, periodSeconds, timeoutSeconds) => {
  expect(sharpestOf(probes)).toEqual({ periodSeconds, timeoutSeconds });
});
