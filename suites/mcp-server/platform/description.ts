/** The description of a platform: its commands, their exit codes, and how their output is read. docs/testing-a-platform.md explains it. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { messageOf, UsageError } from '../../../harness/core/errors.ts';
import { suggest } from '../../../harness/core/suggest.ts';
import type { PlatformIdentity } from '../../../harness/run/suite/definition.ts';
import { pathProblem } from './json-path.ts';

const ALWAYS = ['kubeconfig', 'context', 'namespace'] as const;

/** The operations, the placeholders that each of them knows beside those of all, and the parts that its command line may have. */
const OPERATIONS = {
  deploy: { placeholders: ['name', 'entry', 'image', 'timeout'], parts: ['volume'] },
  list: { placeholders: [], parts: [] },
  status: { placeholders: ['name'], parts: [] },
  logs: { placeholders: ['name'], parts: [] },
  usage: { placeholders: ['name'], parts: [] },
  scale: { placeholders: ['name', 'replicas', 'timeout'], parts: [] },
  update: { placeholders: ['name', 'entry', 'image', 'timeout'], parts: ['no-wait'] },
  rollback: { placeholders: ['name', 'revision', 'timeout'], parts: ['revision'] },
  stop: { placeholders: ['name', 'timeout'], parts: [] },
  delete: { placeholders: ['name', 'timeout'], parts: ['namespace', 'volumes'] },
  cleanup: { placeholders: ['timeout'], parts: [] },
} as const;

export type Operation = keyof typeof OPERATIONS;

/** Known only in the part of the same name. */
const ONLY_IN_PART = ['revision'];

const words = z.array(z.coerce.string()).min(1);
const path = z.string().superRefine((text, context) => {
  const problem = pathProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

function operation(name: Operation, read: z.ZodType = z.never().optional()) {
  const { parts } = OPERATIONS[name];
  return z.strictObject({
    /** What follows `program`. */
    run: words,
    /** Further words for a wish that not every call has. */
    with: z.strictObject(Object.fromEntries(parts.map((part) => [part, words.optional()]))).default({}),
    /** Exit codes of a success. */
    exit: z.array(z.number().int()).min(1).default([0]),
    read,
  });
}

const stateFields = z.strictObject({
  phase: path,
  wanted: path,
  ready: path,
  available: path.optional(),
  revision: path.optional(),
});

const usageFields = z.strictObject({ cpu: path, memory: path });

const phases = z.strictObject({
  running: z.array(z.string()).min(1).default(['running']),
  pending: z.array(z.string()).min(1).default(['pending']),
  stopped: z.array(z.string()).min(1).default(['stopped']),
  failed: z.array(z.string()).default(['failed']),
});

/** As in a Role. */
const rule = z.strictObject({
  apiGroups: z.array(z.string()).min(1),
  resources: z.array(z.string()).min(1),
  verbs: z.array(z.string()).min(1),
  resourceNames: z.array(z.string()).optional(),
});

const schema = z.strictObject({
  name: z.string().min(1),
  /** The start of every command line. */
  program: words,
  /** Added to the environment of every command. */
  env: z.record(z.string(), z.coerce.string()).default({}),
  /** A command that takes longer has failed. */
  limitSeconds: z.number().int().min(1).max(3600).default(300),
  /** The platform's words for the phases of a server, in any case. */
  phases: phases.prefault({}),
  /** What an account needs to manage the servers of one namespace that exists. */
  rights: z.array(rule).min(1).optional(),
  operations: z.strictObject({
    deploy: operation('deploy'),
    list: operation('list', z.strictObject({ servers: path, name: path })).optional(),
    status: operation('status', stateFields).extend({
      /** Exit codes that say: there is no such server. */
      absent: z.array(z.number().int()).default([]),
    }),
    logs: operation('logs').optional(),
    usage: operation('usage', usageFields).optional(),
    scale: operation('scale').optional(),
    update: operation('update').optional(),
    rollback: operation('rollback').optional(),
    stop: operation('stop').optional(),
    delete: operation('delete'),
    cleanup: operation('cleanup').optional(),
  }),
});

export interface Command {
  run: string[];
  with: Record<string, string[] | undefined>;
  exit: number[];
}

export interface Description extends Omit<z.infer<typeof schema>, 'operations'> {
  /** Absolute; the commands run in its folder. */
  file: string;
  operations: Partial<Record<Operation, Command>>;
  /** Exit codes of `status` that say: there is no such server. */
  absent: readonly number[];
  /** How the output of `status`, `list` and `usage` is read. */
  read: {
    status: z.infer<typeof stateFields>;
    list: { servers: string; name: string } | undefined;
    usage: z.infer<typeof usageFields> | undefined;
  };
}

/**
 * Reads and checks a description; runs nothing.
 *
 * @throws UsageError `E_PLATFORM` with file, place and what to write instead
 */
export async function readDescription(file: string): Promise<Description> {
  const value = parse(file, await textOf(file));
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw refusal(file, problemsOf(parsed.error), hintFor(parsed.error));
  const description = parsed.data;
  const { deploy, status, ...others } = description.operations;
  const operations = { deploy, status, ...others } as Partial<Record<Operation, Command>>;
  const wrong = [
    ...placeholderProblems('program', description.program, ALWAYS),
    ...Object.entries(operations).flatMap(([name, command]) => commandProblems(name as Operation, command)),
  ];
  if (wrong.length > 0) {
    const known = `Known in every command are ${ALWAYS.map((name) => `{${name}}`).join(', ')}; docs/testing-a-platform.md lists the others.`;
    throw refusal(file, wrong, known);
  }
  const absolute = resolve(file);
  rejectMissingPrograms(file, description.program, dirname(absolute));
  return {
    ...description,
    file: absolute,
    operations,
    absent: status.absent,
    read: {
      status: status.read as z.infer<typeof stateFields>,
      list: others.list?.read as Description['read']['list'],
      usage: others.usage?.read as Description['read']['usage'],
    },
  };
}

/** What `--platform` needs of a suite. */
export async function validatePlatform(file: string): Promise<PlatformIdentity> {
  const description = await readDescription(file);
  const folder = dirname(description.file);
  const named = description.program.map((word) => join(folder, word)).filter((one) => existsSync(one));
  return { name: description.name, files: [description.file, ...new Set(named)] };
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError('E_PLATFORM', `the description ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
      hint: 'Give --platform the YAML file that describes the commands of the platform. The path is relative to the current folder.',
    });
  });
}

function parse(file: string, text: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'silent' });
  const [problem] = document.errors;
  if (!problem) return document.toJS() as unknown;
  const { line, col } = lineCounter.linePos(problem.pos[0]);
  throw refusal(
    `${file}:${line}:${col}`,
    [problem.message],
    'Check the indentation and quotes of that line.',
  );
}

function refusal(where: string, problems: readonly string[], hint: string): UsageError {
  return new UsageError('E_PLATFORM', `${where} describes no platform: ${problems.join('; ')}`, { hint });
}

function problemsOf(error: z.ZodError): string[] {
  return error.issues.map(({ path: where, message }) => `${where.join('.') || 'it'}: ${message}`);
}

function hintFor(error: z.ZodError): string {
  for (const issue of error.issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const [key = ''] = issue.keys;
    const near = suggest(key, [
      ...Object.keys(OPERATIONS),
      ...Object.keys(schema.shape),
      'run',
      'with',
      'exit',
      'read',
      'absent',
    ]);
    if (near !== undefined) return `Did you mean "${near}" in place of "${key}"?`;
  }
  return 'It needs name, program, and the operations deploy, status and delete; docs/testing-a-platform.md has an example.';
}

function commandProblems(name: Operation, command: Command | undefined): string[] {
  if (!command) return [];
  const known = [...ALWAYS, ...OPERATIONS[name].placeholders].filter((one) => !ONLY_IN_PART.includes(one));
  return [
    ...placeholderProblems(`operations.${name}.run`, command.run, known),
    ...Object.entries(command.with).flatMap(([part, more = []]) =>
      placeholderProblems(`operations.${name}.with.${part}`, more, [...known, part]),
    ),
  ];
}

function placeholderProblems(where: string, line: readonly string[], known: readonly string[]): string[] {
  return placeholdersIn(line)
    .filter((name) => !known.includes(name))
    .map((name) => {
      const near = suggest(name, known);
      return `${where}: {${name}} is no placeholder here${near === undefined ? '' : `; did you mean {${near}}?`}`;
    });
}

const PLACEHOLDER = /\{([A-Za-z][\w-]*)\}/g;

function placeholdersIn(line: readonly string[]): string[] {
  return line.flatMap((word) => [...word.matchAll(PLACEHOLDER)].map(([, name = '']) => name));
}

/** A command line with the values in place of the placeholders. */
export function filled(line: readonly string[], values: Readonly<Record<string, string>>): string[] {
  return line.map((word) => word.replace(PLACEHOLDER, (whole, name: string) => values[name] ?? whole));
}

/** The first word is a program; words that start with `./` or `../` are files beside the description. */
function rejectMissingPrograms(file: string, program: readonly string[], folder: string): void {
  const [first = ''] = program;
  const missing = program.find((word) => /^\.{0,2}\//.test(word) && !existsSync(resolve(folder, word)));
  if (missing !== undefined)
    throw refusal(
      file,
      [`program: there is no file ${missing}`],
      `Paths are relative to the description, in ${folder}.`,
    );
  if (first.includes('/')) return;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  if (folders.some((one) => existsSync(join(one, first)))) return;
  throw refusal(
    file,
    [`program: ${first} is not on PATH`],
    `Install ${first}, or write its path, with ./ in front when it lies beside the description.`,
  );
}
