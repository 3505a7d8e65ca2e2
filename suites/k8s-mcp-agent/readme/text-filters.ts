/** The programs that documents use around kubectl and helm to print and to select text. Interpreted here; no process runs. Pure. */
import { NotAllowed } from './command-not-run.ts';

export interface Filtered {
  exitCode: number;
  stdout: string;
}

/** Interprets one call; throws NotAllowed with the reason when the arguments ask for more than is interpreted. */
type Filter = (args: readonly string[], input: string) => Filtered;

const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ['echo', echo],
  ['printf', printf],
  ['cat', cat],
  ['grep', grep],
  ['head', (args, input) => printed(linesOf(input).slice(0, lineCount('head', args)))],
  ['tail', tail],
  ['wc', wc],
  ['base64', base64],
]);

/** `undefined` when the program is none of them. */
export function filterNamed(program: string): Filter | undefined {
  return FILTERS.get(program);
}

export const FILTER_NAMES: readonly string[] = [...FILTERS.keys()];

function echo(args: readonly string[]): Filtered {
  if (args[0]?.startsWith('-') || args.some((arg) => arg.includes('\\'))) {
    throw new NotAllowed("options and backslashes of echo differ between shells; printf '%s\\n' does not");
  }
  return printed([args.join(' ')]);
}

/** The format is used again for further arguments, as POSIX says. */
function printf([format = '', ...args]: readonly string[]): Filtered {
  if (!/^(?!-)(?:[^%\\]|\\n|%s)*$/.test(format)) {
    throw new NotAllowed('of the formats of printf, only %s and \\n are interpreted');
  }
  const pieces = format.replaceAll('\\n', '\n').split('%s');
  const perRound = pieces.length - 1;
  if (perRound === 0 && args.length > 0)
    throw new NotAllowed('printf has more arguments than its format uses');
  const rounds = Math.max(1, Math.ceil(args.length / Math.max(1, perRound)));
  const stdout = Array.from({ length: rounds }, (_, round) =>
    pieces.map((piece, i) => (i === 0 ? '' : (args[round * perRound + i - 1] ?? '')) + piece).join(''),
  ).join('');
  return { exitCode: 0, stdout };
}

function cat(args: readonly string[], input: string): Filtered {
  if (args.length > 0) throw new NotAllowed('cat reads no files here, only a here-document or a pipe');
  return { exitCode: 0, stdout: input };
}

/** Patterns of plain characters, `.`, and `^` and `$` at the ends: other ones differ between grep's syntaxes. */
function grep(args: readonly string[], input: string): Filtered {
  const options = args.filter((arg) => /^-./.test(arg));
  const [pattern, ...files] = args.filter((arg) => !/^-./.test(arg));
  if (pattern === undefined || files.length > 0 || !options.every((option) => /^-[ivF]+$/.test(option))) {
    throw new NotAllowed('of grep, only one pattern and the options -i, -v and -F are interpreted');
  }
  const has = (letter: string): boolean => options.some((option) => option.includes(letter));
  const [, start = '', plain, end = ''] = (has('F')
    ? /^()([^\n]*)()$/
    : /^(\^?)([\w .,:/@=" -]*)(\$?)$/
  ).exec(pattern) ?? [undefined, '', undefined, ''];
  if (plain === undefined) throw new NotAllowed(`the pattern "${pattern}" of grep is not interpreted`);
  const text = plain.replace(/[\\^$.*+?()[\]{}|/]/g, (character) =>
    character === '.' && !has('F') ? '.' : `\\${character}`,
  );
  const expression = new RegExp(`${start}${text}${end}`, has('i') ? 'iu' : 'u');
  const lines = linesOf(input).filter((line) => expression.test(line) !== has('v'));
  return { ...printed(lines), exitCode: lines.length === 0 ? 1 : 0 };
}

function tail(args: readonly string[], input: string): Filtered {
  const count = lineCount('tail', args);
  return printed(count === 0 ? [] : linesOf(input).slice(-count));
}

function wc(args: readonly string[], input: string): Filtered {
  if (args.join(' ') !== '-l') throw new NotAllowed('of wc, only -l is interpreted');
  return printed([String(input.split('\n').length - 1)]);
}

function base64(args: readonly string[], input: string): Filtered {
  if (!/^(-d|--decode)$/.test(args.join(' ')))
    throw new NotAllowed('of base64, only --decode is interpreted');
  return { exitCode: 0, stdout: Buffer.from(input, 'base64').toString('utf8') };
}

/** `-n 3`, `-n3` and `-3`; 10 by default. */
function lineCount(program: string, args: readonly string[]): number {
  const [, count] = /^(?:-n ?|-)(\d{1,6})$/.exec(args.join(' ')) ?? [];
  if (count === undefined && args.length > 0) {
    throw new NotAllowed(`of ${program}, only -n and a number of lines are interpreted`);
  }
  return Number(count ?? 10);
}

function linesOf(text: string): string[] {
  if (text === '') return [];
  return text.replace(/\n$/, '').split('\n');
}

function printed(lines: readonly string[]): Filtered {
  return { exitCode: 0, stdout: lines.map((line) => `${line}\n`).join('') };
}
