import { expect, it } from 'vitest';
import type { Finding } from './finding.ts';
import { renderFindings } from './render.ts';

it('shows why and remedy only of what is not well', () => {
  const findings: Finding[] = [
    { id: 'a', title: 'Node', status: 'ok', found: '20.20.2', why: 'hidden', remedy: '' },
    { id: 'b', title: 'Memory', status: 'problem', found: '1 GiB', why: 'pods die', remedy: 'one\ntwo' },
    { id: 'c', title: 'Engine', status: 'fixed', found: 'Docker 26', why: '', remedy: '' },
  ];
  expect(renderFindings(findings, { colour: false }).split('\n')).toEqual([
    '✓ Node    20.20.2',
    '✗ Memory  1 GiB',
    '    why   pods die',
    '    mend  one',
    '          two',
    '✓ Engine  fixed: Docker 26',
    '',
    '1 problem, 0 warnings, 1 ok, 1 fixed',
  ]);
});
