/** Programs of the checks that the image of a container may lack: many images have no shell. */
import { CheckFailure, DoesNotFit } from '../../core/errors.ts';
import type { ExecResult } from './client.ts';

/** What checks run in containers of the subject. None of them is promised by a document. */
const TOOLS = new Set(
  'sh bash cat touch ls head tail rm id env stat ps sleep grep wget curl busybox alembic python python3'.split(
    ' ',
  ),
);

/** The messages of runc and crun, as the kubelet passes them on. */
const NOT_STARTED =
  /executable file `?[^`\s]*`? ?not found|exec: "[^"]+": (?:permission denied|no such file|stat )/;
/** "Exit Status for Commands" (POSIX, Shell Command Language): 126 not executable, 127 not found. */
const NOT_FOUND = [126, 127];

/**
 * The error for a command that did not start because its program is missing; `undefined` when that is not the reason.
 *
 * DoesNotFit for a program of the checks, CheckFailure `E_NO_PROGRAM` for one of the subject.
 *
 * @param where the container
 * @param message why it did not start
 */
export function missingProgram(
  command: readonly string[],
  where: string,
  message: string,
): DoesNotFit | CheckFailure | undefined {
  if (!NOT_STARTED.test(message)) return undefined;
  const program = command[0] ?? '';
  return (
    misfit(program, where) ??
    new CheckFailure('E_NO_PROGRAM', `the image of ${where} has no program \`${program}\`: ${message}`)
  );
}

/** DoesNotFit when the command ended because it, or a program that its shell script needs, is missing. */
export function missingProgramOf(
  command: readonly string[],
  where: string,
  { exitCode, stderr, stdout }: ExecResult,
): DoesNotFit | undefined {
  if (!NOT_FOUND.includes(exitCode)) return undefined;
  const said = `${stderr}\n${stdout}`;
  const [program = ''] = command;
  if (NOT_STARTED.test(said)) return misfit(program, where);
  // `sh: 1: cat: not found`, `bash: line 1: cat: command not found`
  const [, inner] = /(?:^|[\s:])([\w.-]+): (?:command )?not found/m.exec(said) ?? [];
  return inner === undefined ? undefined : misfit(inner, where);
}

function misfit(program: string, where: string): DoesNotFit | undefined {
  if (!TOOLS.has(program.replace(/^.*\//, ''))) return undefined;
  return new DoesNotFit(`the image of ${where} has no program \`${program}\`, which the check runs`);
}
