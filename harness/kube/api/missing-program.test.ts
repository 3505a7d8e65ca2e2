import { describe, expect, it } from 'vitest';
import { CheckFailure, DoesNotFit } from '../../core/errors.ts';
import { missingProgram, missingProgramOf } from './missing-program.ts';

const RUNC =
  'OCI runtime exec failed: exec failed: unable to start container process: exec: "cat": executable file not found in $PATH: unknown';

describe('a command that did not start', () => {
  it.each([
    ['runc', RUNC],
    ['crun', 'OCI runtime exec failed: executable file `cat` not found in $PATH: No such file or directory'],
    [
      'a path',
      'exec failed: unable to start container process: exec: "/bin/cat": stat /bin/cat: no such file',
    ],
  ])('does not fit when its program is one of the checks: %s', (_, message) => {
    const error = missingProgram(['/bin/cat', '/x'], 'demo/app/main', message);
    expect(error).toBeInstanceOf(DoesNotFit);
    expect(error?.message).toBe('the image of demo/app/main has no program `/bin/cat`, which the check runs');
  });

  it('is a failure when its program is one of the subject', () => {
    const error = missingProgram(['/agent', '--version'], 'demo/app', RUNC.replace('cat', '/agent'));
    expect(error).toBeInstanceOf(CheckFailure);
    expect(error?.message).toContain('has no program `/agent`');
  });

  it('says nothing about the image when it did not start for another reason', () => {
    expect(missingProgram(['cat'], 'demo/app', 'container not found ("app")')).toBeUndefined();
  });
});

describe('a command that ended', () => {
  const ended = (exitCode: number, stderr: string) => ({ exitCode, stdout: '', stderr });

  it.each([
    [['cat', '/x'], ended(127, RUNC), 'cat'],
    [['cat', '/x'], ended(126, RUNC), 'cat'],
    [['sh', '-c', 'ls /x'], ended(127, 'sh: 1: ls: not found'), 'ls'],
    [['sh', '-c', 'touch /x'], ended(127, '/bin/sh: touch: not found\n'), 'touch'],
    [['bash', '-c', 'head x'], ended(127, 'bash: line 1: head: command not found'), 'head'],
  ])('%j does not fit without its program', (command, result, program) => {
    expect(missingProgramOf(command, 'demo/app', result)?.message).toContain(`no program \`${program}\``);
  });

  it.each([
    [['cat', '/x'], ended(1, 'cat: /x: No such file or directory')],
    [['sh', '-c', 'served'], ended(127, 'sh: served: not found')],
    [['/agent'], ended(127, RUNC.replace('cat', '/agent'))],
    [['sh', '-c', 'cat x'], ended(0, 'sh: cat: not found')],
  ])('%j has a result', (command, result) => {
    expect(missingProgramOf(command, 'demo/app', result)).toBeUndefined();
  });
});
