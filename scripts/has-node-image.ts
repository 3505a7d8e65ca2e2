import { readRecipe } from '../clusters/node-image/recipe.ts';
import type { CommandRunner } from '../harness/core/command.ts';

/** Whether the engine has the node image; otherwise the next run builds or pulls it and needs disk space for it. */
export async function hasNodeImage(run: CommandRunner): Promise<boolean> {
  const { ref, versions } = await readRecipe();
  for (const image of [ref, versions.published.ref]) {
    const seen = await run
      .run('docker', ['image', 'inspect', image], { reject: false })
      .catch(() => undefined);
    if (seen?.exitCode === 0) return true;
  }
  return false;
}
