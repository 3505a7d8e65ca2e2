import { describe, expect, it } from 'vitest';
import { formatDeb822, parseDeb822, parseOneLine, sourceOfSuite, sourcesOf } from './apt-sources.ts';

const KEY = '/usr/share/keyrings/debian-archive-keyring.gpg';

const DEB822 = `Types: deb deb-src
# a comment
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: ${KEY}

Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main
`;

describe('parseOneLine', () => {
  it.each([
    ['deb http://mirror.test/debian bookworm main contrib', 'http://mirror.test/debian', {}],
    [
      `deb [signed-by=${KEY} arch=amd64,arm64] https://m.test/d bookworm main`,
      'https://m.test/d',
      { 'Signed-By': KEY, Architectures: 'amd64 arm64' },
    ],
    ['  deb  [trusted=yes]  file:/srv/debian bookworm main # ours', 'file:/srv/debian', { Trusted: 'yes' }],
  ])('%s', (line, uri, options) => {
    expect(parseOneLine(line)).toMatchObject([{ uri, suites: ['bookworm'], options }]);
    expect(parseOneLine(line)[0]?.components[0]).toBe('main');
  });

  it.each([
    '# deb http://mirror.test/debian bookworm main',
    'deb-src http://mirror.test/debian bookworm main',
    '',
  ])('skips "%s"', (line) => {
    expect(parseOneLine(line)).toEqual([]);
  });
});

describe('parseDeb822', () => {
  it('reads every stanza', () => {
    expect(parseDeb822(DEB822)).toEqual([
      {
        uri: 'http://mirror.test/debian',
        suites: ['bookworm', 'bookworm-updates'],
        components: ['main', 'contrib'],
        options: { 'Signed-By': KEY },
      },
      {
        uri: 'http://mirror.test/debian-security',
        suites: ['bookworm-security'],
        components: ['main'],
        options: {},
      },
    ]);
  });

  it.each(['Enabled: no', 'Enabled: false'])('skips a stanza with %s', (line) => {
    expect(
      parseDeb822(`Types: deb\n${line}\nURIs: http://m.test\nSuites: bookworm\nComponents: main\n`),
    ).toEqual([]);
  });

  it('keeps an embedded key unchanged', () => {
    const key =
      'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBF\n -----END PGP PUBLIC KEY BLOCK-----';
    const [source] = parseDeb822(
      `Types: deb\nURIs: http://m.test\nSuites: bookworm\nComponents: main\n${key}\n`,
    );
    expect(source && parseDeb822(formatDeb822([source]))).toEqual([source]);
    expect(source?.options['Signed-By']).toContain('\n mQINBF\n');
  });
});

describe('sourceOfSuite and sourcesOf', () => {
  const sources = [
    ...parseOneLine('deb http://other.test/cloud cloud-sdk-bookworm main'),
    ...parseDeb822(DEB822),
  ];

  it('return another suite of the same mirror and key, only main', () => {
    expect(sourceOfSuite('trixie', 'bookworm', sources)).toEqual({
      uri: 'http://mirror.test/debian',
      suites: ['trixie'],
      components: ['main'],
      options: { 'Signed-By': KEY },
    });
  });

  it('return the sources of the release, without third parties', () => {
    expect(sourcesOf('bookworm', sources).map(({ uri, suites }) => [uri, suites])).toEqual([
      ['http://mirror.test/debian', ['bookworm', 'bookworm-updates']],
      ['http://mirror.test/debian-security', ['bookworm-security']],
    ]);
  });

  it('return undefined without a mirror of the release', () => {
    expect(sourceOfSuite('trixie', 'sid', sources)).toBeUndefined();
  });
});
