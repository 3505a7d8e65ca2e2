import { describe, expect, it } from 'vitest';
import { PEM, SECRET, SPELLINGS } from '../testing/secret-spellings.ts';
import { createRedactor, redactDeep, Redactor } from './redact.ts';

describe('a redactor', () => {
  it.each(SPELLINGS)('replaces a secret: $name', ({ text, traces }) => {
    const shown = createRedactor([SECRET, PEM])(`before ${text} after`);

    for (const trace of traces) expect(shown).not.toContain(trace);
    expect(shown).toContain('•••');
    expect(shown).toMatch(/^before .* after$/s);
  });

  it.each([
    ['in plain text', `password=${SECRET}`, 'password=•••'],
    ['in a URL', `postgres://u:${encodeURIComponent(SECRET)}@db`, 'postgres://u:•••@db'],
    ['in JSON', JSON.stringify({ a: SECRET, b: 'c\\d' }), '{"a":"•••","b":"c\\\\d"}'],
    ['twice', `${SECRET} ${SECRET}`, '••• •••'],
    ['behind a percent sign', `LIKE '%${SECRET}%'`, "LIKE '%•••%'"],
    ['behind a backslash', `C:\\${SECRET}`, 'C:•••'],
  ])('replaces only the secret %s', (_, text, expected) => {
    expect(createRedactor([SECRET])(text)).toBe(expected);
  });

  it.each([
    ['abc0defgh', 'x=%abc0defgh'],
    ['t0ken-value', 'C:\\t0ken-value'],
    ['a1b2c3d4e5', '100%a1b2c3d4e5'],
    ['lt;abcdefgh', 'a&lt;abcdefgh'],
    ['p4ss+word=', 'p4ss+word='],
    ['- - - - -a-', 'x- - - - -a-y'],
  ])('replaces %j where it only looks like the rest of an escape: %j', (secret, text) => {
    expect(createRedactor([secret])(text)).not.toContain(secret);
  });

  it('replaces all of a secret that contains or overlaps another one', () => {
    expect(createRedactor(['abcd1234', 'abcd1234efgh'])('x abcd1234efgh y abcd1234')).toBe('x ••• y •••');
    expect(createRedactor(['abcd1234', '1234efgh'])('abcd1234efgh')).toBe('•••');
  });

  it('replaces a secret at every place of a long text', () => {
    const filler = 'some line of a log\n'.repeat(60_000);

    const shown = createRedactor([SECRET])(`${filler}${SECRET}${filler}${SECRET}`);

    expect(shown).toBe(`${filler}•••${filler}•••`);
  });

  it.each([[[]], [['']], [['  ']], [['••••••••']], [['--------']], [['abc']]])(
    'changes nothing without a usable secret: %j',
    (secrets) => {
      expect(createRedactor(secrets)('abc -------- •••••••• def')).toBe('abc -------- •••••••• def');
    },
  );

  it.each([
    'the canary is a bird',
    'token Zq7/can… is too short a part',
    'Zq7/canary in the middle of a line',
    'data: YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=',
  ])('leaves alone what has only a part of the secret: %s', (text) => {
    expect(createRedactor([SECRET])(text)).toBe(text);
  });

  it('learns secrets, tells them to another redactor, and says which were new', () => {
    const redactor = new Redactor();
    expect(redactor.learn({ values: [{ text: `${SECRET}\n`, key: 'token' }] })).toBe(true);
    expect(redactor.learn({ values: [{ text: SECRET, key: 'other' }] })).toBe(false);

    expect(new Redactor(redactor.known).redact(SECRET)).toBe('•••');
  });

  it('masks the password of every address', () => {
    expect(new Redactor().redact('postgres://app:pw@db/x and https://h:8080/a@b')).toBe(
      'postgres://app:•••@db/x and https://h:8080/a@b',
    );
  });

  it('redacts every string of a value, keys included', () => {
    const value = { [SECRET]: [{ deep: `x${SECRET}` }], count: 3, nothing: undefined };

    expect(redactDeep(value, createRedactor([SECRET]))).toEqual({ '•••': [{ deep: 'x•••' }], count: 3 });
  });
});

describe('a short value, or one that is also a name', () => {
  const redactor = new Redactor({
    values: [
      { key: 'PIN', text: 'a1b2c3' },
      { key: 'password', text: 'postgres-service' },
      { key: 'username', text: 'toolregistry' },
      { key: 'enabled', text: 'true' },
      { key: 'password', text: 'changeme' },
    ],
    names: ['postgres-service'],
  });

  it.each([
    ['PIN=a1b2c3', 'PIN=•••'],
    ['{"pin": "a1b2c3"}', '{"pin": "•••"}'],
    ['{\\"db_password\\":\\"a1b2c3\\"}', '{\\"db_password\\":\\"•••\\"}'],
    ['- name: DB_PASSWORD\n  value: a1b2c3', '- name: DB_PASSWORD\n  value: •••'],
    ['the token is a1b2c3.', 'the token is •••.'],
    ['data: YTFiMmMz', 'data: •••'],
    ['PGPASSWORD=postgres-service', 'PGPASSWORD=•••'],
    ['password: changeme', 'password: •••'],
  ])('is replaced behind the name of a credential, and in base64: %s', (text, expected) => {
    expect(redactor.redact(text)).toBe(expected);
  });

  it.each([
    'commit a1b2c3 of x',
    'pod a1b2c3d4 restarted',
    'PIN=a1b2c3d4',
    'waiting for postgres-service:5432',
    'role "toolregistry" does not exist',
    'automountServiceAccountToken: true',
  ])('stays elsewhere, so that a report is readable: %s', (text) => {
    expect(redactor.redact(text)).toBe(text);
  });

  it('is recognized by its key in an object, and by the name of a variable', () => {
    const value = { pin: 'a1b2c3', size: 'a1b2c3', env: [{ name: 'DB_PASSWORD', value: 'a1b2c3' }] };

    expect(redactDeep(value, redactor.redact)).toEqual({
      pin: '•••',
      size: 'a1b2c3',
      env: [{ name: 'DB_PASSWORD', value: '•••' }],
    });
  });
});

describe('a secret inside a secret', () => {
  const dockerConfig = JSON.stringify({
    auths: {
      'registry.example': { username: 'bot', auth: Buffer.from('bot:r3gistry-pass').toString('base64') },
    },
  });

  it.each([
    ['the password of a connection string', 'postgres://app:c0nnect%2Fpass@db:5432/app', 'c0nnect/pass'],
    ['the password in the auth of a registry', dockerConfig, 'r3gistry-pass'],
    ['a value of YAML', 'user: app\npassword: "y4ml-password"\n', 'y4ml-password'],
    ['a value of an ini file', '[db]\nDB_PASSWORD = ini-passw0rd\n', 'ini-passw0rd'],
    ['a line of a private key', PEM, PEM.split('\n')[2] ?? ''],
  ])('is replaced on its own: %s', (_, whole, part) => {
    const redactor = new Redactor({ values: [{ text: whole }] });

    expect(redactor.redact(`it says ${part} here`)).toBe('it says ••• here');
    expect(redactor.redact('host db:5432, user app')).toBe('host db:5432, user app');
  });
});
