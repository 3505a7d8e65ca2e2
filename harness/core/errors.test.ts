import { describe, expect, it } from 'vitest';
import {
  CheckFailure,
  exitCodeOf,
  InfrastructureError,
  InterruptedError,
  messageOf,
  UsageError,
} from './errors.ts';

const cycle = new Error('a');
cycle.cause = new Error('b', { cause: cycle });

describe('messageOf', () => {
  it.each([
    ['a plain message', new Error('a'), 'a'],
    ['a chain', new Error('a', { cause: new Error('b', { cause: new Error('c') }) }), 'a: b: c'],
    ['a cause that the message contains', new Error('a failed: b', { cause: new Error('b') }), 'a failed: b'],
    ['a cause that is not an error', new Error('a', { cause: 'why' }), 'a: why'],
    ['a thrown string', 'text', 'text'],
    ['undefined', undefined, 'undefined'],
    ['an error from a worker thread', Object.assign(Object.create(null), { message: 'a' }), 'a'],
    ['a thrown object', { code: 7 }, '{ code: 7 }'],
    ['an error without a message', new TypeError(''), 'TypeError'],
    [
      'a refused connection to two addresses',
      new TypeError('fetch failed', {
        cause: new AggregateError([new Error('refused ::1'), new Error('refused 127.0.0.1')]),
      }),
      'fetch failed: refused ::1, refused 127.0.0.1',
    ],
    ['a cyclic chain', cycle, 'a: b'],
  ])('%s', (_, error, message) => {
    expect(messageOf(error)).toBe(message);
  });
});

describe('exitCodeOf', () => {
  it.each([
    [new UsageError('E_X', ''), 2],
    [new InfrastructureError('E_X', ''), 3],
    [new CheckFailure('E_X', ''), 1],
    [new InterruptedError(), 130],
    [new InterruptedError('over', new InfrastructureError('E_X', '')), 3],
    [new TypeError('a bug'), 3],
    ['text', 3],
  ])('%s: %i', (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});

describe('KindproofError', () => {
  it('has class name, code, hint, cause and details', () => {
    const cause = new Error('why');
    const error = new UsageError('E_X', 'what', { hint: 'do', cause, details: { a: 1 } });
    expect(error).toMatchObject({ name: 'UsageError', code: 'E_X', hint: 'do', cause, details: { a: 1 } });
    expect('cause' in new UsageError('E_X', 'what')).toBe(false);
  });
});
