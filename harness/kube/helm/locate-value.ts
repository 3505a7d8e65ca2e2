/** Finds where a value was set: the `--set` option or the line of the values file that took effect. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LineCounter, isNode, parseDocument } from 'yaml';
import { GO_YAML } from '../manifests/parse.ts';
import type { Subject } from './types.ts';

/** `--set replicas=x`, `prod.yaml:12`; `undefined` when it is not set. */
export async function locateValue(subject: Subject, keys: readonly string[]): Promise<string | undefined> {
  const dotted = keys.join('.');
  if (dotted === '') return undefined;
  const pair = subject.set.findLast((p) => {
    const key = p.split('=')[0]?.replaceAll('[', '.').replaceAll(']', '') ?? '';
    return key === dotted || dotted.startsWith(`${key}.`) || key.startsWith(`${dotted}.`);
  });
  if (pair !== undefined) return `--set ${pair}`;
  const files = [
    ...(subject.chart.endsWith('.tgz') ? [] : [join(subject.chart, 'values.yaml')]),
    ...subject.values,
  ];
  for (const file of files.reverse()) {
    const line = await lineOf(file, keys);
    if (line !== undefined) return `${file}:${line}`;
  }
  return undefined;
}

async function lineOf(file: string, keys: readonly string[]): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { ...GO_YAML, lineCounter, logLevel: 'silent' });
  const path = keys.map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  const node = document.getIn(path, true);
  return isNode(node) && node.range ? lineCounter.linePos(node.range[0]).line : undefined;
}
