/** Kubernetes quantities as numbers. */
import { UsageError } from '../../core/errors.ts';

/** Suffixes of resource.Quantity (apimachinery). */
const factors: Record<string, number> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const form = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/;

/**
 * A quantity in its base unit: cores for cpu (`250m` is 0.25), bytes for memory and storage (`64Mi` is 67108864), a count for
 * extended resources.
 *
 * @throws UsageError `E_QUANTITY` for text that the API would reject (`1 Gi`, `1KB`, `10mi`)
 */
export function parseQuantity(text: string | number): number {
  const given = String(text);
  const match = form.exec(given);
  const factor = factors[match?.[3] ?? ''];
  if (!match || factor === undefined) {
    throw new UsageError('E_QUANTITY', `${JSON.stringify(given)} is not a Kubernetes quantity`, {
      hint: 'write a number with one of the suffixes n u m k M G T P E Ki Mi Gi Ti Pi Ei, without a space',
    });
  }
  const value = Number(`${match[1] ?? ''}${match[2] ?? ''}`);
  // Division is exact where multiplication by 0.001 is not: 3m is 0.003.
  return factor < 1 ? value / Math.round(1 / factor) : value * factor;
}

/** Bytes with a binary unit: `64Mi`, `1.5Gi`, `512`. */
export function formatBytes(bytes: number): string {
  const unit = ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki'].find((u) => Math.abs(bytes) >= (factors[u] ?? 1));
  if (unit === undefined) return String(bytes);
  return `${Number((bytes / (factors[unit] ?? 1)).toFixed(2))}${unit}`;
}
