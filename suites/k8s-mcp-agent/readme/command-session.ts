/** Interprets the commands of a document: expands words, connects pipes, and starts kubectl and helm with argument vectors. */
import { realpath, stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { allowedCall, type AllowedCall, type AllowedProgram } from './allowed-commands.ts';
import { parseCommands, type Command, type Pipeline, type Statement, type Word } from './command-grammar.ts';
import { CommandNotRun, NotAllowed } from './command-not-run.ts';
import { FILTER_NAMES, filterNamed } from './text-filters.ts';

export interface CommandOutput {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Starts one of the two programs with exactly these arguments. `input: undefined`: it reads nothing. */
export type StartProgram = (
  program: AllowedProgram,
  args: readonly string[],
  options: { input: string | undefined; readsFiles: boolean },
) => Promise<CommandOutput>;

export interface CommandSessionOptions {
  /** The chart's folder; relative paths begin there, and no file outside of it is read. */
  folder: string;
  /** What is typed at the terminal by each command that reads from it. */
  terminal: string;
  start: StartProgram;
  /** Releases in `default` that are not of this check. */
  foreign?: ReadonlySet<string>;
  /** Only looks for lines that must not run: a command that fails does not end the block. Default false. */
  review?: boolean;
}

/** Of a value and of the arguments of a command, in characters. A few assignments could otherwise fill the memory. */
const MAX_LENGTH = 100_000;

/** The variables of earlier blocks are known in later ones, as at the reader's terminal. */
export class CommandSession {
  readonly #options: CommandSessionOptions;
  readonly #variables = new Map<string, string>();

  constructor(options: CommandSessionOptions) {
    this.#options = options;
  }

  /**
   * Runs a block up to the first command that fails, a command within a pipe or `$(…)` included.
   *
   * @throws CommandNotRun before the first line that a document may not run or that is not understood
   */
  async run(text: string): Promise<CommandOutput> {
    const output: CommandOutput = { exitCode: 0, stdout: '', stderr: '' };
    for (const statement of parseCommands(text)) {
      const line = new RunningLine(statement, this.#variables, this.#options);
      const { exitCode, stdout, stderr } = await line.run();
      output.stdout += stdout;
      output.stderr += stderr;
      output.exitCode = exitCode;
      if (exitCode !== 0) break;
    }
    return output;
  }
}

/**
 * Finds the lines of a document that must not run; starts nothing.
 *
 * @returns a function that throws CommandNotRun for such a block; blocks are given in the order of the document
 */
export function commandReview(folder: string): (text: string) => Promise<void> {
  // Any word: the real output is examined when it is known.
  const start: StartProgram = () => Promise.resolve({ exitCode: 0, stdout: 'output', stderr: '' });
  const session = new CommandSession({ folder, terminal: '', start, review: true });
  return async (text) => {
    await session.run(text);
  };
}

/** A command inside `$(…)` failed, so the line ends. */
class InnerFailure extends Error {
  readonly output: CommandOutput;
  constructor(output: CommandOutput) {
    super('a command inside $(…) failed');
    this.output = output;
  }
}

class RunningLine {
  readonly #statement: Statement;
  readonly #variables: Map<string, string>;
  readonly #options: CommandSessionOptions;

  constructor(statement: Statement, variables: Map<string, string>, options: CommandSessionOptions) {
    this.#statement = statement;
    this.#variables = variables;
    this.#options = options;
  }

  async run(): Promise<CommandOutput> {
    const statement = this.#statement;
    try {
      if ('pipeline' in statement) return await this.#pipeline(statement.pipeline);
      this.#variables.set(statement.assign, await this.#text(statement.value));
      return { exitCode: 0, stdout: '', stderr: '' };
    } catch (error) {
      if (error instanceof InnerFailure) return error.output;
      throw error;
    }
  }

  async #pipeline(pipeline: Pipeline): Promise<CommandOutput> {
    const last: CommandOutput = { exitCode: 0, stdout: '', stderr: '' };
    let piped: string | undefined;
    for (const command of pipeline) {
      const { exitCode, stdout, stderr } = await this.#command(command, piped);
      last.stderr += stderr;
      last.stdout = stdout;
      if (exitCode !== 0 && this.#options.review !== true) return { ...last, exitCode };
      piped = stdout;
    }
    return last;
  }

  async #command({ words, input: document }: Command, piped: string | undefined): Promise<CommandOutput> {
    const [name] = words;
    const [only, more] = name ?? [];
    if (only?.kind !== 'text' || more !== undefined) {
      throw this.#refusal('the program has to be written out, not computed');
    }
    const program = only.text;
    const args: string[] = [];
    for (const word of words.slice(1)) args.push(...(await this.#fields(word)));
    if (args.join(' ').length > MAX_LENGTH) throw this.#refusal('its arguments are too long');
    const given = document === undefined ? piped : await this.#text(document);
    if (program === 'kubectl' || program === 'helm') {
      const call = this.#understood(() => allowedCall(program, args, this.#options.foreign));
      await this.#filesOfChart(call);
      if (call.needsInput && given === undefined) throw this.#refusal('what it reads is not in the document');
      const input = given ?? (call.interactive ? this.#options.terminal : undefined);
      const readsFiles = call.files.length > 0;
      return this.#options.start(program, args, { input, readsFiles });
    }
    const filter = filterNamed(program);
    if (filter) return { ...this.#understood(() => filter(args, given ?? '')), stderr: '' };
    const known = ['kubectl', 'helm', ...FILTER_NAMES].join(', ');
    throw this.#refusal(`"${program}" is not among the programs that a document may use here (${known})`);
  }

  /** Symbolic links are followed first, so that none leads out of the chart's folder. */
  async #filesOfChart({ files, chart }: AllowedCall): Promise<void> {
    const { folder } = this.#options;
    const root = await realpath(folder);
    for (const path of chart === undefined ? files : [...files, chart]) {
      // An address, a pattern, or several files in one word: what the program would make of it may not be a file of that name.
      if (!/^[\w./-]+$/.test(path))
        throw this.#refusal(`"${path}" is not a plain path of a file of the chart`);
      const real = await realpath(resolve(folder, path)).catch(() => undefined);
      const inside = real === root || real?.startsWith(root + sep);
      if (real === undefined || !inside) throw this.#refusal(`"${path}" is not in the chart's folder`);
      if (path !== chart && !(await stat(real)).isFile()) throw this.#refusal(`"${path}" is not a file`);
    }
  }

  /** One text, as in an assignment and in a here-document: not split. */
  async #text(word: Word): Promise<string> {
    const values: string[] = [];
    for (const part of word) values.push(part.kind === 'text' ? part.text : await this.#value(part));
    return this.#short(values.join(''));
  }

  /** The arguments that a word becomes: a value outside of quotes is split at blanks, and may become none. */
  async #fields(word: Word): Promise<string[]> {
    const fields: string[] = [];
    let current: string | undefined;
    for (const part of word) {
      const value = part.kind === 'text' ? part.text : await this.#value(part);
      if (part.kind === 'text' || part.quoted) {
        current = (current ?? '') + value;
        continue;
      }
      if (/[*?[\\]/.test(value)) {
        throw this.#refusal(`the value "${value}" outside of quotes would be a file pattern`);
      }
      for (const [i, piece] of value.split(/[ \t\n]+/).entries()) {
        if (i > 0 && current !== undefined) {
          fields.push(current);
          current = undefined;
        }
        if (piece !== '') current = (current ?? '') + piece;
      }
    }
    return current === undefined ? fields : [...fields, current];
  }

  async #value(part: Exclude<Word[number], { kind: 'text' }>): Promise<string> {
    if (part.kind === 'variable') {
      const value = this.#variables.get(part.name);
      if (value !== undefined) return value;
      throw this.#refusal(`the document gives $${part.name} no value`);
    }
    const output = await this.#pipeline(part.pipeline);
    if (output.exitCode !== 0) throw new InnerFailure(output);
    const value = this.#short(output.stdout.replace(/\n+$/, ''));
    if (value.includes('\0')) throw this.#refusal('the output of $(…) contains NUL');
    return value;
  }

  #short(text: string): string {
    if (text.length <= MAX_LENGTH) return text;
    throw this.#refusal(`it has a value of more than ${MAX_LENGTH} characters`);
  }

  #understood<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (error instanceof NotAllowed) throw this.#refusal(error.message);
      throw error;
    }
  }

  #refusal(why: string): CommandNotRun {
    return new CommandNotRun(this.#statement.line, why);
  }
}
