import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCommandRunner, type CommandRunner } from '../../core/command.ts';
import { systemClock, type Clock } from '../../core/deadline.ts';
import { imagesOf } from '../../kube/manifests/objects.ts';
import { sampleContainer, sampleDeployment } from '../../testing/sample-objects.ts';
import { planImages, prepareImages, type PrepareDeps } from './plan-images.ts';
import { pullError } from './pull-failure.ts';
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
    digests=null; [ -e "$f.digests" ] && digests=$(cat "$f.digests")
    echo '[{"Id":"${ID}","RepoDigests":'"$digests"',"Config":{"Labels":'"$(cat "$f")"'}}]';;
  "pull "*)
    case "$2" in
      hub/*) echo "1: Pulling from $2"; echo null > "$(file "$2")";;
      slow/*) exec sleep 30;;
      trickle/*) echo "1: Pulling from $2"; exec sleep 30;;
      busy/*)
        echo attempt >> "$KP_STATE/attempts"
        [ "$(wc -l < "$KP_STATE/attempts")" -lt 3 ] || { echo null > "$(file "$2")"; exit 0; }
        echo "Error response from daemon: received unexpected HTTP status: 503 Service Unavailable" >&2; exit 1;;
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

/** Only the limit for the first answer takes its time. */
const withoutPauses: Clock = {
  now: () => systemClock.now(),
  sleep: (ms, signal) => (ms < 20_000 ? Promise.resolve() : systemClock.sleep(ms, signal)),
};

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
    ['is present with the recipe’s fingerprint', { [REF]: `{"${FINGERPRINT_LABEL}":"f1"}` }, 'present', true],
    ['is present without the label', { [REF]: '{"maintainer":"me"}' }, 'present', false],
    ['is outdated', { [REF]: `{"${FINGERPRINT_LABEL}":"f0"}` }, 'built', true],
    ['is absent', {}, 'built', true],
  ])('prepares an image with a recipe that %s', async (_title, local, source, standIn) => {
    const { deps, state } = await engine(local);
    const [image] = await prepareImages(plan(REF, [recipe(state)]), deps);
    expect(image).toEqual({
      name: 'web',
      ref: REF,
      digest: ID,
      source,
      standIn,
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
    const why = reason === undefined ? { digest: ID } : { failure: { reason } };
    expect(image).toMatchObject({ ref, source, ...why });
  });

  it('does not take the progress of a pull that is too slow for the reason', async () => {
    const { deps } = await engine();
    const limits = { firstAnswerMs: 20_000, totalMs: 500 };
    const [image] = await prepareImages(plan('trickle/a:1'), { ...deps, pullLimits: limits });
    expect(image?.failure).toEqual({ problem: 'unreachable', reason: 'the pull did not end within 0.5 s' });
  });

  it('repeats a pull that the registry could not deliver', async () => {
    const { deps, progress } = await engine();
    const [image] = await prepareImages(plan('busy/a:1'), { ...deps, clock: withoutPauses });
    expect(image).toMatchObject({ source: 'pulled' });
    expect(progress.join('\n')).toMatch(/503 Service Unavailable; again in 2 s/);
  });

  it('does not repeat a pull that the registry refused', async () => {
    const { deps, progress } = await engine();
    const [image] = await prepareImages(plan('none/a:1'), { ...deps, clock: withoutPauses });
    expect(image?.failure?.problem).toBe('refused');
    expect(progress.join('\n')).not.toContain('again');
  });

  it('calls the image of a registry, which a recipe prefers, no stand-in', async () => {
    const { deps, state } = await engine();
    const pulls = recipe(state, {
      build: () => writeFile(join(state, REF.replaceAll(/[/:]/g, '_')), 'null'),
    });
    const [image] = await prepareImages(plan(REF, [pulls]), deps);
    expect(image).toMatchObject({ source: 'pulled', standIn: false });
  });

  it('does not call a refused image one that could not be built', async () => {
    const { deps, state } = await engine();
    const refused = pullError(REF, { problem: 'refused', reason: 'denied' });
    const broken = recipe(state, { build: () => Promise.reject(refused) });
    await expect(prepareImages(plan(REF, [broken]), deps)).rejects.toBe(refused);
  });

  it('repeats a build whose base image the registry could not deliver, and then says so', async () => {
    const { deps, state } = await engine();
    let builds = 0;
    const says = 'failed to resolve source metadata for docker.io/library/base:1: 503 Service Unavailable';
    const broken = recipe(state, {
      build: async ({ run }) => {
        builds += 1;
        await run.run('sh', ['-c', `echo "ERROR: failed to solve: base:1: ${says}" >&2; exit 1`]);
      },
    });
    await expect(prepareImages(plan(REF, [broken]), { ...deps, clock: withoutPauses })).rejects.toMatchObject(
      {
        code: 'E_IMAGE_BUILD',
        message: `image ${REF} could not be built, because its base image cannot be pulled: base:1: ${says}`,
        hint: expect.stringContaining('KINDPROOF_IMAGE_BASE=packages') as string,
      },
    );
    expect(builds).toBe(3);
  });

  it.each([
    ['the manifest of its own repository', '["other@sha256:1","example.org/web@sha256:2"]', 'sha256:2'],
    ['no manifest of another repository', '["other@sha256:1"]', undefined],
  ])('knows %s', async (_title, digests, manifest) => {
    const { deps, state } = await engine({ [REF]: 'null' });
    await writeFile(join(state, `${REF.replaceAll(/[/:]/g, '_')}.digests`), digests);
    const [image] = await prepareImages(plan(REF), deps);
    expect(image?.manifest).toBe(manifest);
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
