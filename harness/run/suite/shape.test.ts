import { expect, it } from 'vitest';
import { z } from 'zod';
import { CheckFailure } from '../../core/errors.ts';
import { inShape, parseJsonOf } from './shape.ts';

const schema = z.object({ port: z.number(), name: z.string() });

it('another shape is a failure of the subject, with every deviation', () => {
  expect(inShape(schema, { port: 1, name: 'x' }, 'Service x')).toEqual({ port: 1, name: 'x' });
  const read = (): unknown => inShape(schema, { port: 'http' }, 'Service x');
  expect(read).toThrow(CheckFailure);
  expect(read).toThrow(/^Service x does not have the documented form: port: .*; name: /);
  expect(() => inShape(schema, undefined, 'the answer')).toThrow(/form: it: /);
});

it('text that is not JSON is a failure of the subject', () => {
  expect(parseJsonOf('{"a":1}', 'the answer')).toEqual({ a: 1 });
  expect(() => parseJsonOf('<html>', 'the answer')).toThrow(CheckFailure);
  expect(() => parseJsonOf('<html>', 'the answer')).toThrow(/^the answer is not JSON: <html>/);
});
