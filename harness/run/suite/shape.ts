/** Reads what a subject renders or answers. Another shape than the documented one is a failure of the subject, not of the check. */
import type { z } from 'zod';
import { CheckFailure } from '../../core/errors.ts';
import { clip } from '../../core/wording.ts';

/**
 * The value in the shape of the schema.
 *
 * @param what the sentence of the failure starts with it: `Ingress app`
 * @throws CheckFailure `E_SHAPE` with every deviation
 */
export function inShape<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const deviations = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
  throw new CheckFailure('E_SHAPE', `${what} does not have the documented form: ${deviations.join('; ')}`);
}

/**
 * Parses JSON that the subject has written.
 *
 * @throws CheckFailure `E_NOT_JSON` with the start of the text
 */
export function parseJsonOf(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new CheckFailure('E_NOT_JSON', `${what} is not JSON: ${clip(text, 200)}`, { cause: error });
  }
}
