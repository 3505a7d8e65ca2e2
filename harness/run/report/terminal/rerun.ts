/** The command that runs a check again, broken for the width of the terminal so that it can still be copied. */
import { widthOf } from '../text.ts';

/** An option with its value, or a word. Quoted parts stay in one piece. */
const unit = /--?[\w-]+ (?!-)(?:'[^']*'|"[^"]*"|[^\s'"])+|(?:'[^']*'|"[^"]*"|[^\s'"])+/g;

/** Breaks between options, with a backslash at the end of each line but the last. No option is ever cut. */
export function commandLines(command: string, columns: number): string[] {
  if (widthOf(command) <= columns) return [command];
  const lines: string[] = [];
  for (const [part] of command.matchAll(unit)) {
    const joined = [...lines.slice(-1), part].join(' ');
    if (lines.length > 0 && widthOf(`${joined} \\`) <= columns) lines[lines.length - 1] = joined;
    else lines.push(part);
  }
  return lines.map((line, index) => (index === lines.length - 1 ? line : `${line} \\`));
}
