import { expect, it } from 'vitest';
import type { SuiteDefinition } from './definition.ts';
import { referenceOf, subjectFor } from './reference.ts';
import type { SubjectConfig } from './worker-config.ts';

const definition = {
  name: 'app',
  subject: { chart: 'charts/app' },
  references: { store: { chart: 'charts/store' } },
} as unknown as SuiteDefinition;

it('is the first reference subject without a name, and otherwise the one of this name', () => {
  expect(referenceOf(definition, undefined).chart).toBe('charts/app');
  expect(referenceOf(definition, 'store').chart).toBe('charts/store');
});

it('is a defect of the suite when it does not exist', () => {
  expect(() => referenceOf(definition, 'shop')).toThrow('suite app has no reference subject "shop"');
  const { name, subject } = definition;
  expect(() => referenceOf({ name, subject }, 'store')).toThrow(TypeError);
});

it.each([
  ['without a fault', undefined, 'charts/app'],
  ['of a fault without a reference', {}, 'charts/app'],
  ['of a fault of another reference', { reference: 'store' }, 'charts/store'],
  // The chart of the user, or the reference that the run tests, replaces it.
  ['of a fault whose reference is not prepared', { reference: 'shop' }, 'charts/app'],
])('the subject %s', (_, fault, chart) => {
  const subjects = { subject: { chart: 'charts/app' }, references: { store: { chart: 'charts/store' } } };
  const config = subjects as unknown as { subject: SubjectConfig; references: Record<string, SubjectConfig> };
  expect(subjectFor(fault, config).chart).toBe(chart);
});
