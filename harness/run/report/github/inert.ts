/** Keeps GitHub's runner from executing workflow commands in text that only passes through, such as a container's log. */
import { randomUUID } from 'node:crypto';

/** Both notations of a command. The runner looks for `::` at the start of a line and for `##[` anywhere in it. */
const couldBeCommand = /::|##\[/;

/**
 * On GitHub, the text with every line that could be a command between `::stop-commands::TOKEN` and `::TOKEN::`; anywhere else the text
 * itself. Other lines stay as they are, so that the log stays readable and the counts stay its last line.
 *
 * The token is random and new in every block, so no text can end its block. The runner reads stdout and stderr side by side: write all
 * text of a run to the same stream.
 *
 * Source: docs.github.com, "Workflow commands for GitHub Actions", stopping and starting workflow commands.
 *
 * @param text whole lines; the newline of the last one may be missing
 */
export function inert(text: string, env: Record<string, string | undefined>): string {
  if (env['GITHUB_ACTIONS'] !== 'true' || !couldBeCommand.test(text)) return text;
  const lines: string[] = [];
  let token: string | undefined;
  const endBlock = () => {
    if (token !== undefined) lines.push(`::${token}::`);
    token = undefined;
  };
  for (const line of text.split('\n')) {
    if (!couldBeCommand.test(line)) {
      endBlock();
    } else if (token === undefined) {
      token = randomUUID();
      lines.push(`::stop-commands::${token}`);
    }
    lines.push(line);
  }
  if (token === undefined) return lines.join('\n');
  endBlock();
  return `${lines.join('\n')}\n`;
}
