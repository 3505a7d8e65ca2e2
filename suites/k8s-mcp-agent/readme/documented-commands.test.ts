import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commandBlocks, reviewBlocks } from './documented-commands.ts';

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

describe('reviewBlocks', () => {
  const folder = process.cwd();
  const block = (text: string, heading = 'Use') => ({ heading, text });

  it('runs the blocks of kubectl and helm, with the values of their placeholders', async () => {
    const blocks = [block('kubectl get pods --field-selector spec.nodeName=<node-name>')];
    expect(await reviewBlocks(blocks, { 'node-name': 'a' }, folder)).toEqual([
      { heading: 'Use', text: 'kubectl get pods --field-selector spec.nodeName=a', notRun: undefined },
    ]);
  });

  it.each([
    'kubectl get pods -l zone=<zone>',
    "kubectl get pods -l 'zone=<zone>'",
    'kubectl get <to-string>',
  ])('names a placeholder without a value: %s', async (text) => {
    await expect(reviewBlocks([block(text)], {}, folder)).rejects.toThrow(
      /^"Use" of README.md: `kubectl .*` is not run: there is no value for <[a-z-]+>$/,
    );
  });

  it('runs every block of the reference chart', async () => {
    const chart = fileURLToPath(new URL('../../../fixtures/charts/k8s-mcp-agent', import.meta.url));
    const blocks = commandBlocks(await readFile(join(chart, 'README.md'), 'utf8'));
    const reviewed = await reviewBlocks(blocks, { 'node-name': 'a' }, chart);
    expect(reviewed.map(({ heading, notRun }) => [heading, notRun])).toEqual([
      ['Install', undefined],
      ['Diagnose a node', undefined],
      ['Uninstall', undefined],
      ['Let the chart create the namespace', undefined],
    ]);
  });

  it('leaves out a block without kubectl and helm, and says why', async () => {
    const blocks = [block('make lint', 'Develop'), block('kubectl get pods')];
    expect((await reviewBlocks(blocks, {}, folder)).map(({ notRun }) => notRun)).toEqual([
      expect.stringMatching(/^"Develop" of README.md: `make lint` is not run: "make" is not among/),
      undefined,
    ]);
  });

  it.each([
    ['kubectl get pods\nkubectl get pods | jq .items', '`kubectl get pods | jq .items`'],
    ['git clone x && cd x\nhelm install x .', '`git clone x && cd x`'],
    ['sudo kubectl get pods', '`sudo kubectl get pods`'],
  ])('does not apply to a document with %j', async (text, quoted) => {
    const blocks = [block('kubectl get pods'), block(text, 'Diagnose')];
    await expect(reviewBlocks(blocks, {}, folder)).rejects.toMatchObject({
      code: 'E_DOES_NOT_FIT',
      message: expect.stringContaining(`"Diagnose" of README.md: ${quoted} is not run: `) as string,
    });
  });

  it('knows the variables of earlier blocks', async () => {
    const blocks = [block('POD=$(kubectl get pods -o name)'), block('kubectl describe "$POD"')];
    expect(await reviewBlocks(blocks, {}, folder)).toHaveLength(2);
    await expect(reviewBlocks(blocks.slice(1), {}, folder)).rejects.toThrow(
      'the document gives $POD no value',
    );
  });

  it('does not apply to a document without any such block', async () => {
    await expect(reviewBlocks([], {}, folder)).rejects.toThrow(
      'README.md has no block of helm and kubectl commands',
    );
    await expect(reviewBlocks([block('make')], {}, folder)).rejects.toThrow(/no block.*; "Use".*`make`/);
  });
});
