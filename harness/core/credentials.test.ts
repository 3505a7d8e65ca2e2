import { describe, expect, it } from 'vitest';
import { credentialsOfSet, isCredentialKey, maskArguments, maskSet, maskUserinfo } from './credentials.ts';

describe('the name of a credential', () => {
  it.each([
    'password',
    'auth.rootPassword',
    'db.PASSWD',
    'API_KEY',
    'apiKey',
    'secret',
    'client-secret',
    'auth.token',
    'tls.key',
    'credentials.value',
    'db.connectionString',
    'sentry.dsn',
    'users[0].password',
    'env.OPENAI_API_KEY',
    'auth',
  ])('is recognized: %s', (name) => {
    expect(isCredentialKey(name)).toBe(true);
  });

  it.each([
    'replicaCount',
    'image.tag',
    'existingSecret',
    'auth.existingSecret',
    'secretName',
    'auth.username',
    'auth.enabled',
    'tokenTtlSeconds',
    'tolerations[0].key',
    'topologyKey',
    'monkey',
    'author',
    'keyboard.layout',
  ])('is not seen in %s', (name) => {
    expect(isCredentialKey(name)).toBe(false);
  });
});

describe('a value of --set', () => {
  it.each([
    ['db.password=hunter2', 'db.password=•••'],
    ['a=1,db.password=hunter2,b=2', 'a=1,db.password=•••,b=2'],
    ['db.password=with\\,comma,b=2', 'db.password=•••,b=2'],
    ['tokens={one,two},b=2', 'tokens=•••,b=2'],
    ['list={password=1,x},b=2', 'list={password=1,x},b=2'],
    ['db.password=', 'db.password='],
    ['replicaCount=3', 'replicaCount=3'],
    ['no assignment', 'no assignment'],
  ])('shows no credential: %s', (pair, expected) => {
    expect(maskSet(pair)).toBe(expected);
  });

  it('tells its credentials', () => {
    expect(credentialsOfSet(['a=1,db.password=x\\,y', 'tls.key=k', 'label.token=example.com/role'])).toEqual([
      { key: 'db.password', text: 'x,y' },
      { key: 'tls.key', text: 'k' },
    ]);
  });
});

describe('a command line', () => {
  it.each([
    [
      ['--set', 'a.password=x', '--wait'],
      ['--set', 'a.password=•••', '--wait'],
    ],
    [
      ['--set', 'a=1', 'b.token=x', '--keep'],
      ['--set', 'a=1', 'b.token=•••', '--keep'],
    ],
    [['--set=a.password=x'], ['--set=a.password=•••']],
    [
      ['--set-string', 'a.password=x'],
      ['--set-string', 'a.password=•••'],
    ],
    [
      ['--set-file', 'tls.key=./key.pem'],
      ['--set-file', 'tls.key=•••'],
    ],
    [
      ['--set-json', 'auth.password="x,y"'],
      ['--set-json', 'auth.password=•••'],
    ],
    [
      ['--set', 'url=postgres://u:pw@h/d'],
      ['--set', 'url=postgres://u:•••@h/d'],
    ],
    [
      ['template', 'password=x'],
      ['template', 'password=x'],
    ],
  ])('shows no credential: %j', (args, expected) => {
    expect(maskArguments(args)).toEqual(expected);
  });
});

it.each([
  ['postgres://u:p%40ss@h:5432/d', 'postgres://u:•••@h:5432/d'],
  ['redis://:pw@h', 'redis://:•••@h'],
  ['amqp://u:p@ss@h', 'amqp://u:•••@h'],
  ['"mongodb+srv://u:pw@h"', '"mongodb+srv://u:•••@h"'],
  ['https://h:8443/path@2', 'https://h:8443/path@2'],
  ['docker-image://busybox:1.36@sha256:abc', 'docker-image://busybox:1.36@sha256:abc'],
  ['postgres://u:$PGPASSWORD@h', 'postgres://u:$PGPASSWORD@h'],
  ['postgres://user:<password>@h', 'postgres://user:<password>@h'],
  ['mail u:p@h', 'mail u:p@h'],
])('an address shows no password: %s', (text, expected) => {
  expect(maskUserinfo(text)).toBe(expected);
});
