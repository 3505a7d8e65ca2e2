/** Selectors in words, and the terms that only node affinity has. */
import type { LabelSelector } from '../kube/types.ts';

export interface Expression {
  key: string;
  operator: string;
  values?: string[] | undefined;
}

/** One `key operator values` term of a node affinity. Source: NodeSelectorRequirement, Kubernetes API reference. */
export function matchesExpression(
  { key, operator, values = [] }: Expression,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

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
