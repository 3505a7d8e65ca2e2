import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from './gate.ts';

let written: string;

beforeEach(() => {
  written = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      written += String(text);
      return true;
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('npm run gate', () => {
  it.each([
    [[], '--suite'],
    [['--suite', 'tolman'], 'Did you mean "toolman"?'],
    [['--suite', 'mcp-server'], 'no checks yet'],
    [['--suite', 'toolman', '--chart', 'no/such/chart'], 'there is no chart at no/such/chart'],
    [['--suite', 'toolman', '--reuse'], '--reuse'],
  ])('rejects %j before creating anything', async (argv, says) => {
    expect(await main(argv)).toBe(2);
    expect(written).toContain(says);
  });

  it('prints help', async () => {
    expect(await main(['--help'])).toBe(0);
    expect(written).toContain('do not release: why');
  });
});
