/** A terminal for tests: understands what `screen.ts` writes and shows what a person would see. */

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
        const [, count = '', command = '', rest = ''] = /^(\d*)([A-Za-z])([^]*)$/.exec(sequence) ?? [];
        if (command === 'A') lines.length = Math.max(1, lines.length - Number(count));
        show(rest);
      }
    },
    lines: () => lines.slice(0, -1),
    raw: () => raw,
  };
}
