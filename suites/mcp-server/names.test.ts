import { expect, it } from 'vitest';
import { wrongName } from './names.ts';

it.each([
  ['Service', 'web', []],
  ['Service', 'web.one', ['Service web.one is no DNS label']],
  ['Deployment', 'Web', ['Deployment Web is no DNS label']],
  ['ConfigMap', 'web.one', []],
  ['ConfigMap', 'web_one', ['ConfigMap web_one is no DNS name']],
  ['Secret', 'a'.repeat(64), [`Secret ${'a'.repeat(64)} has 64 characters`]],
  ['ClusterRole', 'system:web', []],
  ['CustomResourceDefinition', 'notes.example.org', []],
])('judges the name of %s %s', (kind, name, wrong) => {
  expect(wrongName({ apiVersion: 'v1', kind, metadata: { name } })).toEqual(wrong);
});
