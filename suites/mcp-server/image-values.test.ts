import { expect, it } from 'vitest';
import { imageValues } from './image-values.ts';

it.each([
  ['me/server:1.4', 'me/server', '1.4'],
  ['registry.example.org:5000/me/server', 'registry.example.org:5000/me/server', 'latest'],
  ['registry.example.org:5000/me/server:2', 'registry.example.org:5000/me/server', '2'],
])('%s is repository and tag', (ref, repository, tag) => {
  expect(imageValues(ref)).toEqual([`image.repository=${repository}`, `image.tag=${tag}`]);
});
