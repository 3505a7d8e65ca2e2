import { describe, expect, it } from 'vitest';
import { commandBlocks, fillPlaceholders, programsOf } from './documented-commands.ts';

const block = (text: string) => ({ heading: '', text });

describe('commandBlocks', () => {
  it('finds the shell blocks with their headings', () => {
    const text = [
      '# Chart',
      '```yaml',
      'a: b',
      '```',
      '## Install',
      '```bash',
      '# not a heading',
      'helm install a .',
      '```',
      '~~~sh',
      '```',
      'kubectl get pods',
      '~~~',
    ].join('\n');
    expect(commandBlocks(text)).toEqual([
      { heading: 'Install', text: '# not a heading\nhelm install a .' },
      { heading: 'Install', text: '```\nkubectl get pods' },
    ]);
  });

  it('finds none in text without any', () => {
    expect(commandBlocks('Run `helm install a .`.')).toEqual([]);
  });
});

describe('programsOf', () => {
  it.each([
    ['helm install a .', ['helm']],
    ['# first\nPOD=$(kubectl get pods \\\n  -o name)\n\nkubectl exec "$POD" -- /agent', ['kubectl']],
    ["A=b helm list | grep '; rm -r /'", ['helm', 'grep']],
    ['git clone x && cd x; sudo make || true', ['git', 'cd', 'sudo', 'true']],
    ['POD="$(kubectl get pods)"', ['kubectl']],
  ])('%j starts %j', (text, programs) => {
    expect(programsOf(block(text))).toEqual(programs);
  });
});

describe('fillPlaceholders', () => {
  it('replaces placeholders with values', () => {
    expect(fillPlaceholders(block('on <node-name>, <node-name>'), { 'node-name': 'a' })).toBe('on a, a');
  });

  it('names a placeholder without a value', () => {
    expect(() => fillPlaceholders(block('in <zone>'), {})).toThrow('<zone>');
  });

  it('does not change redirections', () => {
    expect(fillPlaceholders(block('sort < file > other'), {})).toBe('sort < file > other');
  });
});
