/** Checks of a subject that need no helm: its folder, its files, the syntax of its options. */
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { UsageError, messageOf } from '../../core/errors.ts';
import { manifestFiles } from '../manifests/manifest-files.ts';
import { GO_YAML } from '../manifests/parse.ts';
import { checkReference, isPublished } from './published-chart.ts';

export interface SubjectFiles {
  /** Checked when it is given. */
  chart?: string | undefined;
  values: readonly string[];
  set: readonly string[];
}

const chartYaml = z.looseObject({
  apiVersion: z.string(),
  name: z.string(),
  version: z.string(),
  type: z.enum(['application', 'library']).optional(),
});

/**
 * Validates the paths and options that the user gave, before the run creates anything.
 *
 * @throws UsageError E_CHART, E_VALUES or E_SET, with file and line
 */
export async function checkSubjectFiles(subject: SubjectFiles): Promise<void> {
  if (subject.chart !== undefined) await validateChart(subject.chart);
  for (const file of subject.values) await validateValuesFile(file);
  for (const pair of subject.set) validateSet(pair);
}

async function validateChart(chart: string): Promise<void> {
  if (isPublished(chart)) {
    checkReference(chart);
    return;
  }
  const found = await stat(chart).catch(() => undefined);
  if (!found)
    throw new UsageError('E_CHART', `there is no chart at ${chart}`, {
      hint: 'Give the folder that contains Chart.yaml, a package (.tgz), or oci://HOST/REPOSITORY/CHART.',
    });
  if (found.isFile()) {
    if (chart.endsWith('.tgz')) return;
    throw new UsageError('E_CHART', `${chart} is a file, not a chart`, {
      hint: 'Give the folder that contains Chart.yaml, or a packaged chart (.tgz).',
    });
  }
  const file = join(chart, 'Chart.yaml');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) {
    if ((await manifestFiles(chart)).length > 0) return;
    const inside = await chartsInside(chart);
    throw new UsageError('E_CHART', `${chart} has no Chart.yaml and no manifests`, {
      hint:
        inside.length === 0
          ? 'Give the folder that contains Chart.yaml, or one with plain manifests (*.yaml).'
          : `Did you mean ${inside.join(' or ')}?`,
    });
  }
  const parsed = chartYaml.safeParse(parseMap(file, text, 'E_CHART'));
  if (!parsed.success) throw new UsageError('E_CHART', `${file}: ${z.prettifyError(parsed.error)}`);
  if (parsed.data.type === 'library') {
    throw new UsageError('E_CHART', `chart ${chart} is a library chart, which renders nothing on its own`, {
      hint: 'Give the chart that uses it.',
    });
  }
}

async function chartsInside(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const folders = entries
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map((entry) => join(folder, entry.name));
  const nested = await Promise.all(
    folders.map(async (path) =>
      (await stat(join(path, 'Chart.yaml')).catch(() => undefined)) ? [path] : [],
    ),
  );
  return nested.flat().slice(0, 3);
}

async function validateValuesFile(file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? messageOf(error)})`;
    throw new UsageError('E_VALUES', `values file ${file} ${why}`, {
      cause: error,
      hint: 'The path is relative to the current folder.',
    });
  });
  parseMap(file, text, 'E_VALUES');
}

function parseMap(file: string, text: string, code: 'E_CHART' | 'E_VALUES'): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { ...GO_YAML, lineCounter, prettyErrors: false, logLevel: 'silent' });
  const [problem] = document.errors;
  if (problem) {
    const { line, col } = lineCounter.linePos(problem.pos[0]);
    throw new UsageError(code, `${file}:${line}:${col} is not valid YAML: ${problem.message}`, {
      hint: 'Check the indentation and quotes of that line and the one before.',
    });
  }
  const value: unknown = document.toJS();
  // Helm reads an empty file as an empty map.
  if (value === null || value === undefined) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value;
  throw new UsageError(
    code,
    `${file} is ${Array.isArray(value) ? 'a list' : `a ${typeof value}`}, not a map`,
    {
      hint: 'The top level must be `key: value` lines.',
    },
  );
}

function validateSet(pair: string): void {
  if (/^[^=\s][^=]*=/.test(pair)) return;
  throw new UsageError('E_SET', `--set "${pair}" is not of the form KEY=VALUE`, {
    hint: 'For example --set replicaCount=2',
  });
}
