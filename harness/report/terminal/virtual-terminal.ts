/** A terminal for tests: understands what `screen.ts` writes and shows what a person would see. */
import { plain } from '../text.ts';

export interface VirtualTerminal {
  write(text: string): void;
  /** The lines as they stand now, without colours. */
  lines(): string[];
  /** Everything that was written, as it was written. */
  raw(): string;
}

export function createVirtualTerminal(): VirtualTerminal {
  const lines: string[] = [''];
  let raw = '';
  return {
    write(text) {
      raw += text;
      for (const token of text.split(/(\u001b\[\d*[AJ]|\r|\n)/)) {
        const up = /^\u001b\[(\d+)A$/.exec(token);
        if (up) lines.length = Math.max(1, lines.length - Number(up[1]));
        else if (token === '\n') lines.push('');
        else if (token === '\r') lines[lines.length - 1] = '';
        else if (token !== '\u001b[J') lines[lines.length - 1] = `${lines.at(-1) ?? ''}${plain(token)}`;
      }
    },
    lines: () => lines.slice(0, -1),
    raw: () => raw,
  };
}
