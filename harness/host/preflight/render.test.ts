import { expect, it } from 'vitest';
import { createStyle } from '../../core/style.ts';
import type { Finding } from './finding.ts';
import { renderFindings } from './render.ts';

it('shows why and fix only for warnings and problems', () => {
  const findings: Finding[] = [
    { id: 'a', title: 'Node', status: 'ok', found: '20.20.2', why: 'hidden', remedy: '' },
    { id: 'b', title: 'Memory', status: 'problem', found: '1 GiB', why: 'pods die', remedy: 'one\ntwo' },
    { id: 'c', title: 'Engine', status: 'fixed', found: 'Docker 26', why: '', remedy: '' },
  ];
  expect(renderFindings(findings, createStyle(false)).split('\n')).toEqual([
    '✓ Node    20.20.2',
    '✗ Memory  1 GiB',
    '    why  pods die',
    '    fix  one',
    '         two',
    '✓ Engine  fixed: Docker 26',
    '',
    '1 problem, 0 warnings, 1 ok, 1 fixed',
  ]);
});
