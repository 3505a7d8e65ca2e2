/** Label selectors: as a query for the API, as text for messages, and evaluated on labels. */
import { UsageError } from '../../core/errors.ts';
import type { LabelSelector } from './types.ts';

/** One `key operator values` of a selector. Node selectors also have the operators Gt and Lt. */
export interface Expression {
  key: string;
  operator: string;
  values?: string[] | undefined;
}

/**
 * A selector in the API's query syntax: `app=web,tier in (a,b),!debug`. An empty selector gives an empty string and selects everything.
 *
 * @throws UsageError `E_SELECTOR` for an unknown operator
 */
export function toSelectorString(selector: LabelSelector): string {
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    switch (operator) {
      case 'In':
        return `${key} in (${values.join(',')})`;
      case 'NotIn':
        return `${key} notin (${values.join(',')})`;
      case 'Exists':
        return key;
      case 'DoesNotExist':
        return `!${key}`;
      default:
        throw unknownOperator(operator);
    }
  });
  return [...labels, ...expressions].join(',');
}

/** A selector for messages: `app=web, tier in (a, b)`. */
export function selectorText(
  selector:
    | { matchLabels?: LabelSelector['matchLabels'] | undefined; matchExpressions?: Expression[] | undefined }
    | undefined,
): string {
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector?.matchExpressions ?? []).map(expressionText);
  return [...labels, ...expressions].join(', ') || 'no labels';
}

/** `key in (a, b)`, `key exists`. */
export function expressionText({ key, operator, values = [] }: Expression): string {
  if (operator === 'In' && values.length === 1) return `${key}=${values[0] ?? ''}`;
  if (operator === 'Exists') return `${key} exists`;
  if (operator === 'DoesNotExist') return `${key} does not exist`;
  const operators: Record<string, string> = { In: 'in', NotIn: 'not in', Gt: '>', Lt: '<' };
  return `${key} ${operators[operator] ?? operator} (${values.join(', ')})`;
}

/**
 * Whether the labels satisfy one expression (LabelSelectorRequirement, meta/v1).
 *
 * @throws UsageError `E_SELECTOR` for an unknown operator
 */
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
    default:
      throw unknownOperator(operator);
  }
}

/**
 * Whether a selector matches labels, by the rules of the API: all requirements hold, `NotIn` and `DoesNotExist` also for absent
 * labels; an empty selector matches everything, a missing one nothing (LabelSelector, meta/v1).
 */
export function matchesSelector(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (!selector) return false;
  const have = labels ?? {};
  const equal = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => have[key] === value);
  return (
    equal && (selector.matchExpressions ?? []).every((expression) => matchesExpression(expression, have))
  );
}

/** Whether labels contain all of `wanted`, the plain map of a Service selector. An empty map matches nothing. */
export function matchesLabels(
  wanted: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  const entries = Object.entries(wanted ?? {});
  return entries.length > 0 && entries.every(([key, value]) => labels?.[key] === value);
}

function unknownOperator(operator: string): UsageError {
  return new UsageError('E_SELECTOR', `label selectors have no operator ${operator}`, {
    hint: 'use In, NotIn, Exists or DoesNotExist',
  });
}
