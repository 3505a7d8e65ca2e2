import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../run/report/events.ts';
import { createRedactor, redactDeep } from './redact.ts';
import { redactingObserver } from '../run/report/redacting-observer.ts';

const secret = 'canary/9f+"2?x';

describe('a redactor', () => {
  it.each([
    ['as it is', `password=${secret}`, 'password=•••'],
    ['in a URL', `postgres://u:${encodeURIComponent(secret)}@db`, 'postgres://u:•••@db'],
    ['in JSON', JSON.stringify({ a: secret }), '{"a":"•••"}'],
    ['twice', `${secret} ${secret}`, '••• •••'],
  ])('finds a secret %s', (_, text, expected) => {
    expect(createRedactor([secret])(text)).toBe(expected);
  });

  it.each(['', 'u', 'us', 'user:', 'x=1;password='])('finds a secret in base64 behind "%s"', (before) => {
    const encoded = Buffer.from(`${before}${secret}; end`).toString('base64');

    const shown = createRedactor([secret])(encoded).split('•••');

    expect(shown).toHaveLength(2);
    expect(Buffer.from(shown.join(''), 'base64').toString()).not.toContain('canary');
  });

  it('hides the whole of a secret that contains another one', () => {
    expect(createRedactor(['abcd', 'abcdefgh'])('x abcdefgh y abcd')).toBe('x ••• y •••');
  });

  it.each([[[]], [['']], [['  ']], [['abc']]])(
    'leaves everything alone without a secret to look for: %j',
    (secrets) => {
      expect(createRedactor(secrets)('abc  def')).toBe('abc  def');
    },
  );

  it('reaches every string of a value, keys included', () => {
    const value = { [secret]: [{ deep: `x${secret}` }], count: 3, nothing: undefined };

    expect(redactDeep(value, createRedactor([secret]))).toEqual({ '•••': [{ deep: 'x•••' }], count: 3 });
  });

  it('stands before an observer', () => {
    const seen: RunEvent[] = [];
    const observer = redactingObserver({ onEvent: (event) => seen.push(event) }, createRedactor([secret]));

    observer.onEvent({ type: 'notice', level: 'info', text: `it is ${secret}` });

    expect(seen).toEqual([{ type: 'notice', level: 'info', text: 'it is •••' }]);
  });
});
