/** A fake terminal: executes the sequences that screen.ts writes and shows the resulting lines. */

export interface VirtualTerminal {
  write(text: string): void;
  /** The current lines, without colours. */
  lines(): string[];
  /** Everything that was written, unchanged. */
  raw(): string;
  cursorIsVisible(): boolean;
}

export function createVirtualTerminal(): VirtualTerminal {
  const lines: string[] = [''];
  let raw = '';
  let cursorIsVisible = true;
  function show(text: string): void {
    for (const token of text.split(/(\r|\n)/)) {
      if (token === '\n') lines.push('');
      else if (token === '\r') lines[lines.length - 1] = '';
      else lines[lines.length - 1] = `${lines.at(-1) ?? ''}${token}`;
    }
  }
  return {
    write(text) {
      raw += text;
      // The pieces between escape characters; the first one has none before it.
      const [before = '', ...sequences] = text.split('\u001b[');
      show(before);
      for (const sequence of sequences) {
        const [, parameter = '', command = '', rest = ''] = /^(\??\d*)([A-Za-z])([^]*)$/.exec(sequence) ?? [];
        if (command === 'A') lines.length = Math.max(1, lines.length - Number(parameter));
        if (parameter === '?25') cursorIsVisible = command === 'h';
        show(rest);
      }
    },
    lines: () => lines.slice(0, -1),
    raw: () => raw,
    cursorIsVisible: () => cursorIsVisible,
  };
}
