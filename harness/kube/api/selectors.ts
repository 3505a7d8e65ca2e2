/** Label selectors: as query text for the API, and as a test on labels. */
import { UsageError } from '../../core/errors.ts';
import type { LabelSelector } from './types.ts';

/**
 * A selector as the API's query text: `app=web,tier in (a,b),!debug`.
 *
 * @returns the empty string for an empty selector, which selects everything
 * @throws UsageError `E_SELECTOR` for an operator that Kubernetes does not have
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

/** One `key operator values` of a selector. */
export interface Expression {
  key: string;
  operator: string;
  values?: string[] | undefined;
}

/**
 * Whether one expression holds (LabelSelectorRequirement, meta/v1).
 *
 * @throws UsageError `E_SELECTOR` for an operator that Kubernetes does not have
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
 * Whether labels are selected, by the rules of the API: all requirements hold; `NotIn` and `DoesNotExist` also hold for
 * labels that are absent; an empty selector selects everything, no selector nothing (LabelSelector, meta/v1).
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

/** Whether labels contain all of `wanted`: the plain map that a Service selects with. An empty map selects nothing. */
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
