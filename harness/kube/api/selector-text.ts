/** Selectors in words. */
import type { Expression } from './selectors.ts';
import type { LabelSelector } from './types.ts';

/** `app=web, tier in (a, b)`. */
export function selectorText(
  selector:
    | { matchLabels?: LabelSelector['matchLabels'] | undefined; matchExpressions?: Expression[] | undefined }
    | undefined,
): string {
  const pairs = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  return [...pairs, ...(selector?.matchExpressions ?? []).map(expressionText)].join(', ');
}

/** `key in (a, b)`, `key exists`. */
export function expressionText({ key, operator, values = [] }: Expression): string {
  if (operator === 'In' && values.length === 1) return `${key}=${values[0] ?? ''}`;
  if (operator === 'Exists') return `${key} exists`;
  if (operator === 'DoesNotExist') return `${key} does not exist`;
  const operators: Record<string, string> = { In: 'in', NotIn: 'not in', Gt: '>', Lt: '<' };
  return `${key} ${operators[operator] ?? operator} (${values.join(', ')})`;
}
