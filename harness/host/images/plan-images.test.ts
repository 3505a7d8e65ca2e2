import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCommandRunner, type CommandRunner } from '../../core/command.ts';
import { imagesOf } from '../../kube/manifests/objects.ts';
import { sampleContainer, sampleDeployment } from '../../testing/sample-objects.ts';
import { planImages, prepareImages, type PrepareDeps } from './plan-images.ts';
import { FINGERPRINT_LABEL, type ImageRecipe } from './types.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';

const REF = 'example.org/web:1.2.3';
const ID = `sha256:${'a'.repeat(64)}`;

/**
 * A fake engine whose images are files with labels. The registry `hub` answers, `slow` never does, all others deny access.
 */
const DOCKER = `#!/bin/sh
file() { echo "$KP_STATE/$(echo "$1" | tr '/:' '__')"; }
case "$1 $2" in
  "image inspect")
    [ -e "$KP_STATE/down" ] && { echo "Cannot connect to the Docker daemon" >&2; exit 1; }
    f=$(file "$3"); [ -e "$f" ] || { echo "Error response from daemon: No such image: $3" >&2; echo '[]'; exit 1; }
    echo '[{"Id":"${ID}","Config":{"Labels":'"$(cat "$f")"'}}]';;
  "pull "*)
    case "$2" in
      hub/*) echo "1: Pulling from $2"; echo null > "$(file "$2")";;
      slow/*) exec sleep 30;;
      *) echo "Error response from daemon: pull access denied for $2" >&2; exit 1;;
    esac;;
esac
`;

async function engine(
  local: Record<string, string> = {},
): Promise<{ deps: PrepareDeps; progress: string[]; state: string }> {
  const state = await temporaryFolder();
  await writeFile(join(state, 'docker'), DOCKER);
  await chmod(join(state, 'docker'), 0o755);
  for (const [ref, labels] of Object.entries(local))
    await writeFile(join(state, ref.replaceAll(/[/:]/g, '_')), labels);
  const real = createCommandRunner();
  const run: CommandRunner = {
    run: (file, args, options) =>
      real.run(file, args, {
        ...options,
        env: { ...options?.env, KP_STATE: state, PATH: `${state}:${process.env['PATH'] ?? ''}` },
      }),
  };
  const progress: string[] = [];
  const deps: PrepareDeps = {
    run,
    signal: new AbortController().signal,
    onProgress: (text) => progress.push(text),
    pullLimits: { firstAnswerMs: 20_000, totalMs: 20_000 },
  };
  return { deps, progress, state };
}

function recipe(state: string, overrides: Partial<ImageRecipe> = {}): ImageRecipe {
  return {
    ref: REF,
    fingerprint: () => Promise.resolve('f1'),
    build: () => writeFile(join(state, REF.replaceAll(/[/:]/g, '_')), `{"${FINGERPRINT_LABEL}":"f1"}`),
    ...overrides,
  };
}

const rendered = (...images: string[]): ReturnType<typeof imagesOf> =>
  imagesOf([
    sampleDeployment({ containers: images.map((image, i) => sampleContainer({ name: `c${i}`, image })) }),
  ]);

describe('planImages', () => {
  it('lists every reference once, with its users, recipe and name', () => {
    const web = recipe('');
    const plan = planImages({
      rendered: rendered(REF, REF, 'busybox:1'),
      recipes: [web],
      always: ['busybox:1', 'probe:1'],
      names: { main: REF },
    });
    expect(plan.images).toEqual([
      {
        name: 'main',
        ref: REF,
        namedBy: ['Deployment web: container c0', 'Deployment web: container c1'],
        recipe: web,
      },
      { name: 'busybox', ref: 'busybox:1', namedBy: ['Deployment web: container c2', 'pods of the checks'] },
      { name: 'probe', ref: 'probe:1', namedBy: ['pods of the checks'] },
    ]);
  });
});

describe('prepareImages', () => {
  const plan = (ref: string, recipes: ImageRecipe[] = []): ReturnType<typeof planImages> =>
    planImages({ rendered: rendered(ref), recipes });

  it.each([
    ['is present with the recipe’s fingerprint', { [REF]: `{"${FINGERPRINT_LABEL}":"f1"}` }, 'present'],
    ['is present without the label', { [REF]: '{"maintainer":"me"}' }, 'present'],
    ['is outdated', { [REF]: `{"${FINGERPRINT_LABEL}":"f0"}` }, 'built'],
    ['is absent', {}, 'built'],
  ])('prepares an image with a recipe that %s', async (_title, local, source) => {
    const { deps, state } = await engine(local);
    const [image] = await prepareImages(plan(REF, [recipe(state)]), deps);
    expect(image).toEqual({
      name: 'web',
      ref: REF,
      digest: ID,
      source,
      namedBy: ['Deployment web: container c0'],
    });
  });

  it.each([
    ['hub/a:1', 'pulled', undefined],
    ['slow/a:1', 'unavailable', 'its registry did not answer within 0.15 s'],
    ['none/a:1', 'unavailable', 'pull access denied for none/a:1'],
  ])('returns %s as %s without a recipe', async (ref, source, reason) => {
    const { deps } = await engine();
    const patience = ref.startsWith('slow/') ? { pullLimits: { firstAnswerMs: 150, totalMs: 20_000 } } : {};
    const [image] = await prepareImages(plan(ref), { ...deps, ...patience });
    expect(image).toMatchObject({ ref, source, ...(reason === undefined ? { digest: ID } : { reason }) });
  });

  it('throws for a failing recipe, after the other builds have ended', async () => {
    const { deps, state } = await engine();
    const other = recipe(state, { ref: 'other:1', build: () => writeFile(join(state, 'other_1'), 'null') });
    const broken = recipe(state, { build: () => Promise.reject(new Error('no compiler')) });
    const both = planImages({ rendered: rendered(REF, 'other:1'), recipes: [broken, other] });
    await expect(prepareImages(both, deps)).rejects.toMatchObject({
      code: 'E_IMAGE_BUILD',
      exitCode: 3,
      message: `image ${REF} could not be built: no compiler`,
    });
    expect(await readFile(join(state, 'other_1'), 'utf8')).toBe('null');
  });

  it('throws for a recipe that builds no image', async () => {
    const { deps, state } = await engine();
    const lazy = recipe(state, { build: () => Promise.resolve() });
    await expect(prepareImages(plan(REF, [lazy]), deps)).rejects.toMatchObject({ code: 'E_IMAGE_BUILD' });
  });

  it('throws E_ENGINE when the engine does not answer', async () => {
    const { deps, state } = await engine();
    await writeFile(join(state, 'down'), '');
    await expect(prepareImages(plan(REF), deps)).rejects.toMatchObject({ code: 'E_ENGINE', exitCode: 3 });
  });

  it('keeps the plan’s order and reports progress', async () => {
    const { deps, progress } = await engine({ 'b:1': 'null' });
    const images = await prepareImages(
      planImages({ rendered: rendered('hub/a:1', 'b:1'), recipes: [] }),
      deps,
    );
    expect(images.map((i) => [i.ref, i.source])).toEqual([
      ['hub/a:1', 'pulled'],
      ['b:1', 'present'],
    ]);
    expect(progress).toContain('1 of 2 images ready: b:1 (present)');
    expect(progress.at(-1)).toBe('2 of 2 images ready: hub/a:1 (pulled)');
  });
});
