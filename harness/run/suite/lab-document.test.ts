import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expect as counted } from './assertions.ts';
import type { Fault } from './definition.ts';
import { executeCheck } from './execute-check.ts';
import { fakeCheck, fakeLab } from '../../testing/fake-lab.ts';

async function chartWith(readme: string): Promise<string> {
  const chart = await mkdtemp(join(tmpdir(), 'kp-unit-chart-'));
  onTestFinished(() => rm(chart, { recursive: true }));
  await writeFile(join(chart, 'README.md'), readme);
  return chart;
}

async function read(
  file: string,
  documents?: Fault['documents'],
): Promise<{ text?: string | undefined; reason?: string | undefined }> {
  const chart = await chartWith('helm install a . --create-namespace');
  const subject = { chart, values: [], set: [], patches: [], reference: true, images: [] };
  const fault: Fault = {
    name: 'f',
    description: '',
    requirements: ['T-01'],
    reason: /./,
    ...(documents && { documents }),
  };
  const seen: { text?: string | undefined } = {};
  const check = fakeCheck('T-01', async ({ lab }) => {
    seen.text = await lab.document(file);
    counted(true).toBe(true);
  });
  const { result } = await executeCheck(check, fakeLab({ fault, deps: { subject } }).lab);
  return { text: seen.text, reason: result.reason };
}

describe("a chart's document", () => {
  it('is read from its folder', async () => {
    expect((await read('README.md')).text).toBe('helm install a . --create-namespace');
  });

  it('is undefined when the file is missing', async () => {
    expect(await read('USAGE.md')).toEqual({ text: undefined, reason: undefined });
  });

  it('contains the words of the fault', async () => {
    const { text } = await read('README.md', [
      { file: 'README.md', replace: ' --create-namespace', by: ' $&' },
    ]);
    expect(text).toBe('helm install a . $&');
  });

  it('is missing when the fault takes it away', async () => {
    const missing = { missing: true } as const;
    expect((await read('README.md', [{ file: 'README.md', ...missing }])).text).toBeUndefined();
    expect((await read('USAGE.md', [{ file: 'USAGE.md', ...missing }])).reason).toBe('there is no USAGE.md');
  });

  it('rejects a fault that changes nothing', async () => {
    const { reason } = await read('README.md', [{ file: 'README.md', replace: 'kubectl', by: '' }]);
    expect(reason).toBe('README.md does not say "kubectl"');
  });
});
