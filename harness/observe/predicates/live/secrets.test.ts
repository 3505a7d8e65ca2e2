import { describe, expect, it } from 'vitest';
import { tellsNoSecret } from './secrets.ts';

const password = 'kpCanary0123456789/@';
const secrets = { password };

describe('tellsNoSecret', () => {
  it('holds for places that say something else', () => {
    expect(tellsNoSecret([{ title: 'the log', text: 'started\n' }], secrets)).toMatchObject({
      ok: true,
      actual: 'not told in 1 places with 8 characters',
    });
  });

  it.each([
    ['as it is', password],
    ['percent-encoded', `postgresql://u:${encodeURIComponent(password)}@host/db`],
    ['in base64 within a longer value', Buffer.from(`url=${password};`).toString('base64')],
    ['in JSON', JSON.stringify({ password })],
  ])('finds it %s, and does not repeat it', (_form, text) => {
    const verdict = tellsNoSecret([{ title: 'the log', text: `one\ntwo ${text}` }], secrets);
    expect(verdict).toMatchObject({ ok: false, details: ['the log tells the password in line 2'] });
    expect(JSON.stringify(verdict)).not.toContain('kpCanary');
  });

  it.each([
    ['nothing was read', [], secrets],
    ['all is empty', [{ title: 'the log', text: '' }], secrets],
    ['no secret is known', [{ title: 'the log', text: 'x' }], {}],
    ['a secret is too short to be told from chance', [{ title: 'the log', text: 'x' }], { password: 'y' }],
  ])('does not hold when %s', (_why, places, known) => {
    expect(tellsNoSecret(places, known as Record<string, string>).ok).toBe(false);
  });
});
