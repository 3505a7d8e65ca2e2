/** Terminal colours. Style whole lines or words after wrapping and measuring, so that no sequence is ever cut. */
import { styleText } from 'node:util';

export type Paint = (text: string) => string;

export interface Style {
  bold: Paint;
  dim: Paint;
  red: Paint;
  green: Paint;
  yellow: Paint;
  cyan: Paint;
}

/** Whether to write colours: NO_COLOR (no-color.org) wins, then FORCE_COLOR, then whether the stream is a terminal. */
export function wantsColor(env: Record<string, string | undefined>, isTty: boolean): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '') return env['FORCE_COLOR'] !== '0';
  return isTty && env['TERM'] !== 'dumb';
}

/**
 * Whether to redraw lines in place, which moves the cursor: only on a terminal that can, outside CI, and not with NO_COLOR, whose users
 * want text without any sequence.
 */
export function wantsLiveLines(env: Record<string, string | undefined>, isTty: boolean): boolean {
  const isPlain = env['TERM'] === 'dumb' || (env['NO_COLOR'] ?? '') !== '';
  return isTty && !isPlain && env['CI'] === undefined;
}

/** @param color see `wantsColor`; without it every function returns its text unchanged */
export function createStyle(color: boolean): Style {
  const paint =
    (format: keyof Style): Paint =>
    (text) =>
      // `wantsColor` has decided; styleText on its own would consult stdout and the environment again.
      color && text !== '' ? styleText(format, text, { validateStream: false }) : text;
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
  };
}
