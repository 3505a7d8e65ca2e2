/** The shell commands in a document. Pure. */

/** A fenced block of shell commands, verbatim. */
export interface CommandBlock {
  /** The heading above it. */
  heading: string;
  text: string;
}

const FENCE = /^(`{3,}|~{3,})\s*(\S*)/;
const SHELLS = new Set(['bash', 'sh', 'shell', 'zsh']);

/** All fenced blocks of shell commands in a Markdown document, in order (CommonMark, fenced code blocks). */
export function commandBlocks(markdown: string): CommandBlock[] {
  const blocks: CommandBlock[] = [];
  let heading = '';
  let open: { fence: string; lines: string[]; isShell: boolean } | undefined;
  for (const line of markdown.split(/\r?\n/)) {
    const [, fence = '', language = ''] = FENCE.exec(line) ?? [];
    if (open) {
      if (fence.startsWith(open.fence) && language === '') {
        if (open.isShell) blocks.push({ heading, text: open.lines.join('\n') });
        open = undefined;
      } else open.lines.push(line);
    } else if (fence !== '') open = { fence, lines: [], isShell: SHELLS.has(language) };
    else heading = /^#+\s+(.*)$/.exec(line)?.[1] ?? heading;
  }
  return blocks;
}

/** Programs that a block starts, each once: the first words of its commands, also in `$(…)`, in pipes and after assignments. */
export function programsOf(block: CommandBlock): string[] {
  const text = block.text
    .replace(/\\\n/g, ' ')
    .replace(/^\s*#.*$/gm, '')
    // Quoted text is an argument.
    .replace(/'[^']*'/g, "''");
  const commands = text.split(/\n|;|&&|\|\|?|\$\(/);
  const programs = commands.flatMap((command) => {
    const words = command.trim().split(/\s+/);
    const first = words.find((word) => word !== '' && !/^\w+=/.test(word));
    return first === undefined || /^[)"]/.test(first) ? [] : [first];
  });
  return [...new Set(programs)];
}

/**
 * The text with its placeholders, `<node-name>`, replaced.
 *
 * @throws Error for a placeholder without a value
 */
export function fillPlaceholders({ text }: CommandBlock, values: Readonly<Record<string, string>>): string {
  return text.replace(/<([a-z][a-z0-9-]*)>/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`there is no value for ${whole}`);
    return value;
  });
}
