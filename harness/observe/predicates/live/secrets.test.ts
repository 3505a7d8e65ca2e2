import { describe, expect, it } from 'vitest';
import { containsNoSecret } from './secrets.ts';

const password = 'kpCanary0123456789/@';
const secrets = { password };

describe('containsNoSecret', () => {
  it('holds for texts without the secret', () => {
    expect(containsNoSecret([{ title: 'the log', text: 'started\n' }], secrets)).toMatchObject({
      ok: true,
      actual: 'absent in 1 places with 8 characters',
    });
  });

  it.each([
    ['verbatim', password],
    ['percent-encoded', `postgresql://u:${encodeURIComponent(password)}@host/db`],
    ['in base64 within a longer value', Buffer.from(`url=${password};`).toString('base64')],
    ['in JSON', JSON.stringify({ password })],
  ])('finds a secret %s, and does not repeat it', (_form, text) => {
    const result = containsNoSecret([{ title: 'the log', text: `one\ntwo ${text}` }], secrets);
    expect(result).toMatchObject({ ok: false, details: ['the log contains the password in line 2'] });
    expect(JSON.stringify(result)).not.toContain('kpCanary');
  });

  it.each([
    ['there is no text', [], secrets],
    ['the texts are empty', [{ title: 'the log', text: '' }], secrets],
    ['no secret is given', [{ title: 'the log', text: 'x' }], {}],
    [
      'a secret is so short that it may occur by chance',
      [{ title: 'the log', text: 'x' }],
      { password: 'y' },
    ],
  ])('does not hold when %s', (_why, places, known) => {
    expect(containsNoSecret(places, known as Record<string, string>).ok).toBe(false);
  });
});
