import { describe, expect, it } from 'vitest';
import { createRedactor, redactDeep } from './redact.ts';

const secret = 'canary/9f+"2?x';

describe('a redactor', () => {
  it.each([
    ['in plain text', `password=${secret}`, 'password=•••'],
    ['in a URL', `postgres://u:${encodeURIComponent(secret)}@db`, 'postgres://u:•••@db'],
    ['in JSON', JSON.stringify({ a: secret }), '{"a":"•••"}'],
    ['twice', `${secret} ${secret}`, '••• •••'],
  ])('replaces a secret %s', (_, text, expected) => {
    expect(createRedactor([secret])(text)).toBe(expected);
  });

  it.each(['', 'u', 'us', 'user:', 'x=1;password='])('replaces a secret in base64 after "%s"', (before) => {
    const encoded = Buffer.from(`${before}${secret}; end`).toString('base64');

    const shown = createRedactor([secret])(encoded).split('•••');

    expect(shown).toHaveLength(2);
    expect(Buffer.from(shown.join(''), 'base64').toString()).not.toContain('canary');
  });

  it('replaces all of a secret that contains another one', () => {
    expect(createRedactor(['abcd', 'abcdefgh'])('x abcdefgh y abcd')).toBe('x ••• y •••');
  });

  it.each([[[]], [['']], [['  ']], [['abc']]])('changes nothing without a usable secret: %j', (secrets) => {
    expect(createRedactor(secrets)('abc  def')).toBe('abc  def');
  });

  it('redacts every string of a value, keys included', () => {
    const value = { [secret]: [{ deep: `x${secret}` }], count: 3, nothing: undefined };

    expect(redactDeep(value, createRedactor([secret]))).toEqual({ '•••': [{ deep: 'x•••' }], count: 3 });
  });
});
