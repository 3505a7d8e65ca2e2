/** The shell commands in a document. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import { CommandNotRun } from './command-not-run.ts';
import { commandReview } from './command-session.ts';

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

/** A block of a document, with its placeholders replaced. */
export interface ReviewedBlock extends CommandBlock {
  /** Why it is not run; `undefined` when it is. */
  notRun: string | undefined;
}

/**
 * Decides which blocks of README.md are run; starts nothing. A block without kubectl and helm, such as one for the chart's developers, is
 * left out.
 *
 * @param folder the chart's folder
 * @throws CheckSkipped when a block with kubectl or helm has a line that must not run, because the rest of the document may need its
 *   effect, and when no block is left
 */
export async function reviewBlocks(
  blocks: readonly CommandBlock[],
  values: Readonly<Record<string, string>>,
  folder: string,
): Promise<ReviewedBlock[]> {
  const review = commandReview(folder);
  const reviewed: ReviewedBlock[] = [];
  for (const { heading, text: written } of blocks) {
    const text = fillPlaceholders(written, values);
    try {
      await review(text);
      reviewed.push({ heading, text, notRun: undefined });
    } catch (error) {
      if (!(error instanceof CommandNotRun)) throw error;
      const notRun = `"${heading}" of README.md: ${error.message}`;
      if (/(^|[\s`(|&;])(kubectl|helm)(?=\s|$)/m.test(text)) throw new DoesNotFit(notRun);
      reviewed.push({ heading, text, notRun });
    }
  }
  if (reviewed.some(({ notRun }) => notRun === undefined)) return reviewed;
  throw new DoesNotFit(
    ['README.md has no block of helm and kubectl commands', ...reviewed.flatMap((b) => b.notRun ?? [])].join(
      '; ',
    ),
  );
}

/** The text with its placeholders, `<node-name>`, replaced. One without a value stays, and its line is not run. */
function fillPlaceholders(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/<([a-z][a-z0-9-]*)>/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? whole) : whole,
  );
}
