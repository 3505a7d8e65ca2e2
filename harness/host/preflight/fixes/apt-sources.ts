/** apt's sources in both formats of sources.list(5), to find the mirror that this machine uses. */
import type { Machine } from '../machine.ts';

export interface AptSource {
  uri: string;
  suites: string[];
  components: string[];
  /** Signed-By, Trusted, Architectures … as in the deb822 format. */
  options: Record<string, string>;
}

/** Every enabled binary source of the machine, one for each URI. */
export async function readAptSources(machine: Machine): Promise<AptSource[]> {
  const sources = parseOneLine((await machine.read('/etc/apt/sources.list')) ?? '');
  for (const name of await machine.list('/etc/apt/sources.list.d')) {
    const text = (await machine.read(`/etc/apt/sources.list.d/${name}`)) ?? '';
    if (name.endsWith('.sources')) sources.push(...parseDeb822(text));
    if (name.endsWith('.list')) sources.push(...parseOneLine(text));
  }
  return sources;
}

/** `deb [signed-by=/key arch=amd64] URI suite component…` */
export function parseOneLine(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    const [, bracket, uri, suite, rest] = match ?? [];
    if (uri === undefined || suite === undefined) continue;
    const options: Record<string, string> = {};
    for (const pair of (bracket ?? '').split(/\s+/)) {
      const [key, value] = pair.split('=', 2);
      const field = FIELDS[key?.toLowerCase() ?? ''];
      if (field && value !== undefined) options[field] = value.replaceAll(',', ' ');
    }
    sources.push({ uri, suites: [suite], components: words(rest), options });
  }
  return sources;
}

/** Names of the relevant options in the one-line format and in deb822. */
const FIELDS: Record<string, string> = {
  'signed-by': 'Signed-By',
  trusted: 'Trusted',
  arch: 'Architectures',
  'check-valid-until': 'Check-Valid-Until',
};

/** Stanzas of `Field: value` with continuation lines. */
export function parseDeb822(text: string): AptSource[] {
  const sources: AptSource[] = [];
  for (const stanza of text.split(/\n\s*\n/)) {
    const fields = parseStanza(stanza);
    if (!words(fields['types']).includes('deb') || /^(no|false|0)$/i.test(fields['enabled'] ?? '')) continue;
    const options: Record<string, string> = {};
    for (const name of ['Signed-By', 'Trusted', 'Architectures', 'Check-Valid-Until']) {
      const value = fields[name.toLowerCase()];
      if (value !== undefined) options[name] = value;
    }
    for (const uri of words(fields['uris'])) {
      sources.push({
        uri,
        suites: words(fields['suites']),
        components: words(fields['components']),
        options,
      });
    }
  }
  return sources;
}

function parseStanza(stanza: string): Record<string, string> {
  const fields: Record<string, string> = {};
  let current = '';
  for (const line of stanza.split('\n')) {
    if (line.startsWith('#')) continue;
    const field = /^([\w-]+):\s*(.*)$/.exec(line);
    if (field?.[1]) {
      current = field[1].toLowerCase();
      fields[current] = (field[2] ?? '').trim();
    } else if (/^[ \t]/.test(line) && current !== '') {
      // Keeps the leading space, which an embedded key needs.
      fields[current] = `${fields[current] ?? ''}\n${line}`;
    }
  }
  return fields;
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}

/** The sources in deb822 format, for a separate list file. */
export function formatDeb822(sources: readonly AptSource[]): string {
  return sources
    .map(({ uri, suites, components, options }) =>
      [
        'Types: deb',
        `URIs: ${uri}`,
        `Suites: ${suites.join(' ')}`,
        ...(components.length === 0 ? [] : [`Components: ${components.join(' ')}`]),
        ...Object.entries(options).map(([name, value]) => `${name}: ${value}`),
        '',
      ].join('\n'),
    )
    .join('\n');
}

/** The machine's sources of one release: `bookworm`, `bookworm-updates`, `bookworm-security`. */
export function sourcesOf(codename: string, sources: readonly AptSource[]): AptSource[] {
  return sources
    .map((source) => ({
      ...source,
      suites: source.suites.filter((suite) => suite === codename || suite.startsWith(`${codename}-`)),
    }))
    .filter(({ suites, components }) => suites.length > 0 && components.includes('main'));
}

/** The source of another suite on the machine's own mirror; undefined when no mirror of its release is configured. */
export function sourceOfSuite(
  suite: string,
  codename: string,
  sources: readonly AptSource[],
): AptSource | undefined {
  const mirror = sources.find(
    ({ suites, components }) => suites.includes(codename) && components.includes('main'),
  );
  return mirror && { ...mirror, suites: [suite], components: ['main'] };
}
