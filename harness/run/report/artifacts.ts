/** Where the evidence of a check lies. */
import path from 'node:path';

/** The folder that holds all of the artefacts, with a slash at its end; `undefined` without any. */
export function commonFolder(artifacts: readonly string[]): string | undefined {
  const [first, ...others] = artifacts.map((artifact) => path.posix.dirname(artifact).split('/'));
  if (first === undefined) return undefined;
  const common = [...first];
  for (const folders of others) {
    while (!common.every((folder, index) => folders[index] === folder)) common.pop();
  }
  return common.length === 0 ? './' : `${common.join('/')}/`;
}
