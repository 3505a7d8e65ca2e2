/** Parses the output of `kind create cluster`. Pure. */

export interface KindStage {
  title: string;
  state: 'started' | 'done' | 'failed';
}

const MARKS: Record<string, KindStage['state']> = { '•': 'started', '✓': 'done', '✗': 'failed' };

/**
 * Parses a progress line, as kind writes it without a terminal: ` • Preparing nodes 📦 📦  ...`, then ` ✓ …` or ` ✗ …`
 * (kind, pkg/internal/cli/status.go). Returns `undefined` for other lines.
 */
export function parseKindStage(line: string): KindStage | undefined {
  const match = /^\s*([•✓✗])\s+(.+?)\s*(?:\.\.\.)?\s*$/u.exec(line);
  const state = MARKS[match?.[1] ?? ''];
  if (match?.[2] === undefined || state === undefined) return undefined;
  const title = match[2].replace(/[\p{Extended_Pictographic}\u{FE0F}\u{200D}]/gu, '').trim();
  return { title: title.charAt(0).toLowerCase() + title.slice(1), state };
}
