import { expect, it } from 'vitest';
import { commonFolder } from './wording.ts';

it.each([
  [[], undefined],
  [['toolman/T-28/events.txt'], 'toolman/T-28/'],
  [['toolman/T-28/events.txt', 'toolman/T-28/logs/a.log'], 'toolman/T-28/'],
  [['toolman/T-28/logs/a.log', 'toolman/T-2/x'], 'toolman/'],
  [['a/x', 'b/x'], './'],
  [['x'], './'],
])('the folder of %j is %s', (artifacts, expected) => {
  expect(commonFolder(artifacts)).toBe(expected);
});
