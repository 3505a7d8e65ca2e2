/**
 * The part of the shell's language that documents need, read without a shell: commands, one a line, with quotes, variables, `$(…)`, pipes,
 * here-documents, continued lines, comments and prompts. Whatever else a shell would do with a line is refused, never guessed. Pure.
 *
 * Semantics: POSIX.1-2024, Shell Command Language.
 */
import { codePoint, CommandNotRun } from './command-not-run.ts';

export type Part =
  | { kind: 'text'; text: string }
  | { kind: 'variable'; name: string; quoted: boolean }
  | { kind: 'output'; pipeline: Pipeline; quoted: boolean };

/** Never empty; `""` is one empty text. */
export type Word = readonly Part[];

export interface Command {
  words: readonly Word[];
  /** A here-document. */
  input?: Word;
}

/** The output of each command is the input of the next. */
export type Pipeline = readonly Command[];

export type Statement = {
  /** As it is written, for messages. */
  line: string;
} & ({ assign: string; value: Word } | { pipeline: Pipeline });

/** How deep `$(…)` may be nested. */
const MAX_DEPTH = 3;

/** Variables that change what the programs or the shell do, rather than name something in the document. */
const RESERVED =
  /^(PATH|HOME|USER|PWD|OLDPWD|SHELL|IFS|ENV|BASH_ENV|TMPDIR|EDITOR|VISUAL|PAGER|SSL_.*|GO.*|XDG_.*|LD_.*|DYLD_.*|KUBE.*|HELM_.*|.*_PROXY)$/i;

const PLAIN = /[\w@%+=:,./-]+/y;
const PLACEHOLDER = /<[A-Za-z][\w -]*>/y;

const WHY: Readonly<Record<string, string>> = {
  '&': '"&" starts a process in the background or joins commands, and only one command a line is run',
  ';': '";" joins commands, and only one command a line is run',
  '`': 'backticks are not interpreted; $(…) is',
  '>': 'no output is written to files',
  '<': 'input comes from a pipe or a here-document (<<EOF) only',
  '*': '"*" outside of quotes is a file pattern',
  '?': '"?" outside of quotes is a file pattern',
  '[': '"[" outside of quotes is a file pattern',
  ']': '"]" outside of quotes is a file pattern',
  '~': '"~" stands for a home folder',
  '{': 'braces outside of quotes are expanded by some shells only',
  '}': 'braces outside of quotes are expanded by some shells only',
  '!': '"!" negates a command or repeats an earlier one',
  '^': '"^" repeats an earlier command in some shells',
  '#': '"#" inside a word is a comment in some shells only',
  '(': 'parentheses start another shell or define a function',
  ')': 'parentheses start another shell or define a function',
  $: 'of "$", only $NAME, ${NAME} and $(…) are interpreted',
  '|': 'of "|", only pipes from one command to the next are interpreted',
};

/**
 * Reads a block of commands.
 *
 * @throws CommandNotRun that quotes the line and says what is not understood
 */
export function parseCommands(text: string): Statement[] {
  return new Parser(text).statements();
}

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  /** Here-documents whose text begins after the current line. */
  #expected: { command: { input?: Word }; end: string; literal: boolean }[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  statements(): Statement[] {
    const statements: Statement[] = [];
    for (;;) {
      this.#skip(/(?:[ \t\n]|\\\n|#[^\n]*)+/y);
      if (this.#ends()) return statements;
      // The prompt of a terminal.
      this.#skip(/\$ +/y);
      statements.push(this.#statement());
    }
  }

  #statement(): Statement {
    const start = this.#at;
    const [assignment, name] = this.#match(/(?:export[ \t]+)?([A-Za-z_]\w*)=/y) ?? [];
    const found =
      assignment === undefined || name === undefined
        ? { pipeline: this.#pipeline() }
        : { assign: name, value: this.#assigned(assignment, name) };
    const line = this.#text.slice(start, this.#at).replace(/\\\n\s*/g, ' ');
    this.#endOfLine();
    return { line, ...found };
  }

  #assigned(assignment: string, name: string): Word {
    if (RESERVED.test(name)) throw this.#refusal(`${name} would change what the programs do`);
    this.#at += assignment.length;
    const value = this.#word();
    this.#blanks();
    if (!this.#lineEnds()) {
      throw this.#refusal(`"${name}=…" has to be a line of its own, as a single word`);
    }
    return value.length === 0 ? [{ kind: 'text', text: '' }] : value;
  }

  #pipeline(): Pipeline {
    const commands: Command[] = [];
    for (;;) {
      const command: { words: Word[]; input?: Word } = { words: [] };
      commands.push(command);
      this.#blanks();
      while (!this.#commandEnds()) {
        if (this.#takes('<<')) this.#hereDocument(command);
        else command.words.push(this.#word());
        this.#blanks();
      }
      if (command.words.length === 0) throw this.#refusal('a command is missing');
      if (!this.#takes('|')) return commands;
      this.#newlines();
      if (this.#next() === '|' || this.#next() === '&') throw this.#refusal(WHY['|']);
    }
  }

  #word(): Word {
    const parts: Part[] = [];
    for (;;) {
      const next = this.#next();
      if (next === ' ' || next === '\t' || (next !== '#' && this.#commandEnds())) return joined(parts);
      if (this.#takes('\\\n')) continue;
      parts.push(...this.#parts());
    }
  }

  /** The next parts of a word. */
  #parts(): Part[] {
    if (this.#takes("'")) return [this.#literal()];
    if (this.#takes('"')) return this.#quoted('"');
    if (this.#takes('\\')) return [{ kind: 'text', text: this.#escaped() }];
    if (this.#takes('$')) return [this.#expansion(false)];
    return [{ kind: 'text', text: this.#plain() }];
  }

  #plain(): string {
    const [found] = this.#match(PLAIN) ?? [];
    if (found !== undefined) {
      this.#at += found.length;
      return found;
    }
    const [placeholder] = this.#match(PLACEHOLDER) ?? [];
    if (placeholder !== undefined) throw this.#refusal(`there is no value for ${placeholder}`);
    const character = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    throw this.#refusal(
      WHY[character] ?? `${codePoint(character)} outside of quotes is no part of a command`,
    );
  }

  /** Up to the closing single quote. */
  #literal(): Part {
    const end = this.#text.indexOf("'", this.#at);
    if (end < 0) throw this.#refusal('a quote is not closed');
    const text = this.#printable(this.#text.slice(this.#at, end));
    this.#at = end + 1;
    return { kind: 'text', text };
  }

  /** Up to the closing quote; without one, up to the end of the text (a here-document). */
  #quoted(close: '"' | ''): Part[] {
    const parts: Part[] = [{ kind: 'text', text: '' }];
    for (;;) {
      const next = this.#next();
      if (next === close) {
        this.#at += 1;
        return parts;
      }
      if (next === '') throw this.#refusal('a quote is not closed');
      if (this.#takes('\\\n')) {
        if (close === '') throw this.#refusal('lines of a here-document are not joined');
      } else if (this.#takes('$')) parts.push(this.#expansion(true));
      else if (next === '`') throw this.#refusal(WHY[next]);
      else if (next === '!' && close === '"') {
        throw this.#refusal('"!" in double quotes repeats an earlier command at a terminal');
      } else {
        const [escaped] = this.#match(close === '"' ? /\\[\\$`"]/y : /\\[\\$`]/y) ?? [];
        const [text = next] = escaped === undefined ? (this.#match(/[^\\$`!"]+/y) ?? []) : [escaped];
        this.#at += text.length;
        parts.push({ kind: 'text', text: escaped?.slice(1) ?? this.#printable(text) });
      }
    }
  }

  #escaped(): string {
    const [character] = this.#match(/[ -~]/y) ?? [];
    if (character === undefined) throw this.#refusal('a backslash stands before nothing that it could quote');
    this.#at += 1;
    return character;
  }

  /** After `$`. */
  #expansion(quoted: boolean): Part {
    const [variable, braced, bare] = this.#match(/\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*)/y) ?? [];
    if (variable !== undefined) {
      this.#at += variable.length;
      return { kind: 'variable', name: braced ?? bare ?? '', quoted };
    }
    if (!this.#takes('(')) throw this.#refusal(WHY['$']);
    if (this.#depth === MAX_DEPTH) throw this.#refusal('$(…) is nested too deeply');
    this.#depth += 1;
    this.#newlines();
    const pipeline = this.#pipeline();
    this.#newlines();
    if (!this.#takes(')')) throw this.#refusal('$(…) has to contain one command or one pipe');
    this.#depth -= 1;
    return { kind: 'output', pipeline, quoted };
  }

  /** After `<<`. */
  #hereDocument(command: { input?: Word }): void {
    if (this.#depth > 0) throw this.#refusal('here-documents inside $(…) are not interpreted');
    const [found, quote, end] = this.#match(/[ \t]*(['"]?)([A-Za-z_]\w*)\1(?=[ \t\n|]|$)/y) ?? [];
    if (found === undefined || end === undefined) {
      throw this.#refusal("of here-documents, only <<NAME and <<'NAME' are interpreted");
    }
    this.#at += found.length;
    this.#expected.push({ command, end, literal: quote !== '' });
  }

  #endOfLine(): void {
    this.#blanks();
    this.#skip(/#[^\n]*/y);
    if (!this.#lineEnds()) this.#plain();
    this.#at += 1;
    for (const { command, end, literal } of this.#expected) {
      const start = this.#at;
      const [last] = this.#search(new RegExp(`^${end}$`, 'gm'));
      if (last === undefined) throw this.#refusal(`the here-document has no line "${end}"`);
      const text = this.#text.slice(start, last);
      const inner = new Parser(text);
      command.input = literal ? [{ kind: 'text', text: inner.#printable(text) }] : joined(inner.#quoted(''));
      this.#at = last + end.length + 1;
    }
    this.#expected = [];
  }

  #search(pattern: RegExp): [number | undefined] {
    pattern.lastIndex = this.#at;
    return [pattern.exec(this.#text)?.index];
  }

  /** Control characters, and those that show nothing or reorder the text, are never part of an argument; nor is a placeholder. */
  #printable(text: string): string {
    const [placeholder] = /<[a-z][a-z0-9-]*>/.exec(text) ?? [];
    if (placeholder !== undefined) throw this.#refusal(`there is no value for ${placeholder}`);
    const [character] = /[^\P{C}\n\t]/u.exec(text) ?? [];
    if (character === undefined) return text;
    throw this.#refusal(`${codePoint(character)} does not show in the document`);
  }

  /** Where a command may continue on the next line. The text of a here-document begins there, and is not looked for inside of a command. */
  #newlines(): void {
    if (this.#expected.length === 0) this.#skip(/(?:[ \t\n]|\\\n)+/y);
  }

  #blanks(): void {
    this.#skip(/(?:[ \t]|\\\n)+/y);
  }

  #ends(): boolean {
    return this.#at >= this.#text.length;
  }

  #lineEnds(): boolean {
    return this.#ends() || this.#next() === '\n' || this.#next() === '#';
  }

  /** At the end of a command. Between words, a comment ends it as well. */
  #commandEnds(): boolean {
    return this.#lineEnds() || this.#next() === '|' || (this.#next() === ')' && this.#depth > 0);
  }

  #next(): string {
    return this.#text[this.#at] ?? '';
  }

  #takes(text: string): boolean {
    const found = this.#text.startsWith(text, this.#at);
    if (found) this.#at += text.length;
    return found;
  }

  #match(sticky: RegExp): RegExpExecArray | undefined {
    sticky.lastIndex = this.#at;
    return sticky.exec(this.#text) ?? undefined;
  }

  #skip(sticky: RegExp): void {
    this.#at += this.#match(sticky)?.[0].length ?? 0;
  }

  /** Quotes the line at the current position. */
  #refusal(why = 'it is not understood'): CommandNotRun {
    const start = this.#text.lastIndexOf('\n', this.#at - 1) + 1;
    const [line = ''] = this.#text.slice(start).split('\n', 1);
    return new CommandNotRun(line, why);
  }
}

/** With adjacent texts as one. */
function joined(parts: readonly Part[]): Word {
  const word: Part[] = [];
  for (const part of parts) {
    const last = word.at(-1);
    if (part.kind === 'text' && last?.kind === 'text') {
      word[word.length - 1] = { kind: 'text', text: last.text + part.text };
    } else word.push(part);
  }
  return word;
}
