import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Report } from '../../harness/run/report/model.ts';
import { sampleProof } from '../../harness/testing/sample-report.ts';
import { temporaryFolder } from '../../harness/testing/temporary-folder.ts';
import { containersThatRan, imageEvidence, type RanContainer } from './images-that-ran.ts';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;

type Image = NonNullable<Report['images']>[number];
const prepared = (overrides: Partial<Image> = {}): Image => ({
  ref: 'ghcr.io/me/toolman:1',
  source: 'present',
  standIn: false,
  ids: [digest('a'), digest('b')],
  nodeManifests: [digest('b')],
  namedBy: ['Deployment toolman: container toolman'],
  ...overrides,
});
const ran = (overrides: Partial<RanContainer> = {}): RanContainer => ({
  namespace: 'kp-1',
  pod: 'toolman-x',
  container: 'toolman',
  role: 'main',
  ref: 'ghcr.io/me/toolman:1',
  id: digest('a'),
  ...overrides,
});

describe('containersThatRan', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    await mkdir(join(folder, 'recording'));
  });

  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'toolman-x' },
    spec: {
      initContainers: [
        { name: 'setup', image: 'busybox:1' },
        { name: 'proxy', image: 'proxy:1', restartPolicy: 'Always' },
      ],
      containers: [{ name: 'toolman', image: 'me/toolman:1' }],
      ephemeralContainers: [{ name: 'debug', image: 'debug:1' }],
    },
    status: {
      initContainerStatuses: [
        { name: 'setup', image: 'docker.io/library/busybox:1', imageID: digest('b') },
        { name: 'proxy', image: 'proxy:1', imageID: digest('c') },
      ],
      containerStatuses: [{ name: 'toolman', image: 'me/toolman:1', imageID: digest('a') }],
      ephemeralContainerStatuses: [{ name: 'debug', image: 'debug:1', imageID: digest('d') }],
    },
  };
  const record = (namespace: string, ...objects: object[]) =>
    writeFile(
      join(folder, 'recording', `${namespace}.jsonl`),
      objects.map((object, seq) => `${JSON.stringify({ seq, at: 0, type: 'MODIFIED', object })}\n`).join(''),
    );
  const waiting = {
    ...pod,
    status: { containerStatuses: [{ name: 'toolman', image: 'me/toolman:1', imageID: '' }] },
  };

  it('finds init containers, sidecars and ephemeral containers', async () => {
    await record('kp-1', waiting, pod, pod);
    const found = await containersThatRan(folder, {});
    expect(found.map(({ container, role, ref, id }) => [container, role, ref, id])).toEqual([
      ['setup', 'init', 'busybox:1', digest('b')],
      ['proxy', 'sidecar', 'proxy:1', digest('c')],
      ['toolman', 'main', 'me/toolman:1', digest('a')],
      ['debug', 'ephemeral', 'debug:1', digest('d')],
    ]);
    expect(new Set(found.map((one) => `${one.namespace}/${one.pod}`))).toEqual(new Set(['kp-1/toolman-x']));
  });

  it('finds pods of hooks and jobs, also those that are deleted before the end', async () => {
    const hook = { ...pod, metadata: { name: 'migrate-1' } };
    await record('kp-1', hook, { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' } });
    expect((await containersThatRan(folder, {})).map((one) => one.pod)).toContain('migrate-1');
  });

  it('finds an image that replaced another one in a running pod', async () => {
    const status = { containerStatuses: [{ name: 'toolman', image: 'me/toolman:2', imageID: digest('e') }] };
    await record('kp-1', pod, { ...pod, status });
    const ids = (await containersThatRan(folder, {})).map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining([digest('a'), digest('e')]));
  });

  it('leaves out containers that never started, and the namespaces of faults', async () => {
    await record('kp-1', waiting);
    await record('kp-1-unknown-image', pod);
    const proofs = [sampleProof({ namespaces: ['kp-1-unknown-image'] })];
    expect(await containersThatRan(folder, { proofs })).toEqual([]);
  });

  it('rejects a damaged recording', async () => {
    await writeFile(join(folder, 'recording', 'kp-1.jsonl'), 'no json\n');
    await expect(containersThatRan(folder, {})).rejects.toMatchObject({ code: 'E_RECORDING' });
  });
});

describe('imageEvidence', () => {
  it('has the manifest of the registry', () => {
    const { images, problems } = imageEvidence([ran()], [prepared({ registryManifest: digest('f') })]);
    expect(images).toEqual([
      {
        ref: 'ghcr.io/me/toolman:1',
        id: digest('a'),
        manifest: digest('f'),
        nodeManifests: [digest('b')],
        standIn: false,
        containers: ['toolman'],
        pods: 1,
      },
    ]);
    expect(problems).toEqual([]);
  });

  it('has the manifest under which a node pulled an image that was not loaded', () => {
    const { images } = imageEvidence([ran({ id: `ghcr.io/me/toolman@${digest('f')}` })], []);
    expect(images[0]?.manifest).toBe(digest('f'));
  });

  it.each<[string, Image[], RegExp]>([
    ['built by kindproof', [prepared({ source: 'built', standIn: true })], /kindproof built the image/],
    ['of this machine', [prepared()], /built or loaded on this machine/],
    ['of the nodes', [], /on the nodes before the run/],
  ])('says why an image %s has no manifest in a registry', (_case, known, why) => {
    const [image] = imageEvidence([ran()], known).images;
    expect(image).not.toHaveProperty('manifest');
    expect(image?.withoutManifest).toMatch(why);
  });

  it('groups containers by image, and knows an image by any of its names', () => {
    const known = prepared({ ref: 'docker.io/library/busybox:1' });
    const { images, problems } = imageEvidence(
      [
        ran({ ref: 'busybox:1', container: 'setup', role: 'init' }),
        ran({ ref: 'docker.io/library/busybox:1', container: 'sleep', pod: 'other' }),
      ],
      [known],
    );
    expect(images).toMatchObject([{ containers: ['setup (init)', 'sleep'], pods: 2 }]);
    expect(problems).toEqual([]);
  });

  it('names the pod that runs another image than the loaded one', () => {
    const { problems } = imageEvidence([ran(), ran({ pod: 'toolman-y', id: digest('e') })], [prepared()]);
    expect(problems).toEqual([
      `container toolman of pod kp-1/toolman-y runs ${digest('e')} as ghcr.io/me/toolman:1, but ${digest('a')} or ${digest('b')} was loaded`,
    ]);
  });

  it('sums up pods that run the same other image', () => {
    const others = ['a', 'b', 'c'].map((pod) => ran({ pod, id: digest('e') }));
    const { problems } = imageEvidence(others, [prepared()]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('pod kp-1/a, as do 2 more containers, runs');
  });

  it('compares nothing where nothing was loaded', () => {
    expect(imageEvidence([ran({ id: digest('e') })], [prepared({ ids: [] })]).problems).toEqual([]);
  });

  it('lists images of the subject that no pod ran', () => {
    const cron = prepared({ ref: 'me/cron:1', namedBy: ['CronJob c: container c', 'pods of the checks'] });
    const probe = prepared({ ref: 'busybox:1', namedBy: ['pods of the checks'] });
    expect(imageEvidence([ran()], [prepared(), cron, probe]).notRun).toEqual([
      { ref: 'me/cron:1', namedBy: ['CronJob c: container c'] },
    ]);
  });

  it('is a problem when no recording shows an image', () => {
    expect(imageEvidence([], [prepared()]).problems).toEqual(['no recording shows which images ran']);
  });
});
