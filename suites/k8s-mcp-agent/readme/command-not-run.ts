import { clip } from '../../../harness/core/wording.ts';
import { CheckSkipped } from '../../../harness/run/suite/check.ts';

/** Why a call is not made; whoever knows the line turns it into a CommandNotRun. */
export class NotAllowed extends Error {}

/** A documented line that is not run: it is not understood, or asks for more than a document may do on this machine. */
export class CommandNotRun extends CheckSkipped {
  /** @param why completes the sentence "it is not run: …" */
  constructor(line: string, why: string) {
    super(`\`${visible(line)}\` is not run: ${why}`);
  }
}

/** The line as one line of a report, with the characters that a reader would not see. */
function visible(line: string): string {
  return clip(line, 160).replace(/[\p{C}\p{Z}]/gu, (character) =>
    character === ' ' ? character : codePoint(character),
  );
}

/** `U+200B`. */
export function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
