/**
 * No check turns red because it does not fit the subject: every check of every suite, with means that do not fit, and the static ones with
 * a subject that shares nothing with their reference, or has other names for everything.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { DoesNotFit } from '../harness/core/errors.ts';
import { Lifecycle } from '../harness/core/lifecycle.ts';
import { silentLog } from '../harness/core/log.ts';
import { parseManifests } from '../harness/kube/manifests/parse.ts';
import { patchObjects } from '../harness/kube/manifests/patch.ts';
import { countAssertions } from '../harness/run/suite/assertions.ts';
import type { Check, CheckContext, CheckOptions } from '../harness/run/suite/check.ts';
import { executeCheck } from '../harness/run/suite/execute-check.ts';
import { Lab } from '../harness/run/suite/lab.ts';
import { statusOfError } from '../harness/run/suite/status-of-error.ts';
import type { KubeClient } from '../harness/kube/api/client.ts';
import type { CheckResult } from '../harness/run/report/model.ts';
import type { KubeObject } from '../harness/kube/api/types.ts';
import { Release } from '../harness/run/suite/release.ts';
import { fakeLab } from '../harness/testing/fake-lab.ts';
import { ABOUT_NAMES } from './about-names.ts';
import { BY_READING } from './any-chart/rows.ts';
import { loadCatalogue, suites } from './index.ts';

const FOREIGN = fileURLToPath(new URL('../fixtures/charts/foreign', import.meta.url));
const CATALOGUE = fileURLToPath(new URL('../fixtures/manifests/catalogue/base', import.meta.url));

const declared: Check[] = [];

vi.mock(import('../harness/run/suite/kit.ts'), async (original) => ({
  ...(await original()),
  createSuiteKit: ((definition: { name: string }) => ({
    requirement(
      ids: string | string[],
      title: string,
      ...rest: [CheckOptions, Check['run']] | [Check['run']]
    ) {
      const requirements = typeof ids === 'string' ? [ids] : ids;
      const [options, run] = rest.length === 2 ? rest : [{}, rest[0]];
      const earlier = declared.filter(
        (c) => c.suite === definition.name && c.requirements[0] === requirements[0],
      );
      const id = `${definition.name}/${requirements[0]}${earlier.length === 0 ? '' : `#${earlier.length + 1}`}`;
      declared.push({ id, suite: definition.name, file: '', title, requirements, options, run });
    },
  })) as never,
}));

beforeAll(async () => {
  for (const { directory, files } of suites) {
    for (const file of files) await import(join(directory, file));
  }
});

const misfit = new DoesNotFit('it does not fit');

/** Everything that is asked of it does not fit, whatever it is. */
function unfit(): unknown {
  const throws = (): never => {
    throw misfit;
  };
  return new Proxy(throws, { get: () => unfit(), apply: throws });
}

it('names only checks that exist as being about names', () => {
  expect(ABOUT_NAMES.filter((id) => !declared.some((check) => check.id === id))).toEqual([]);
});

it('what is checked by reading has such a check', () => {
  const reading = declared.filter(({ suite, options }) => suite === 'any-chart' && !options.disruptive);
  const ids = reading.flatMap(({ requirements }) => requirements);
  expect(BY_READING.filter((id) => !ids.includes(id))).toEqual([]);
});

it('a row is checked by a requirement that its suite checks', async () => {
  const catalogue = await loadCatalogue();
  const wrong = catalogue.flatMap(({ definition, requirements }) =>
    requirements
      .filter(({ checkedBy }) => checkedBy !== undefined && !definition.shared.includes(checkedBy))
      .map(({ id, checkedBy }) => `${id} ${checkedBy ?? ''}`),
  );
  expect(wrong).toEqual([]);
});

it('every suite declares its checks here', () => {
  const counts = suites.map(({ name }) => declared.filter((c) => c.suite === name).length);
  expect(counts.every((count) => count > 0)).toBe(true);
  expect(counts.filter((count) => count > 12)).toHaveLength(5);
});

describe('a check whose means do not fit', () => {
  it('is not applicable, whatever it does with the error', async () => {
    const others: string[] = [];
    for (const check of declared) {
      const { lab: shared } = fakeLab();
      const lab = new Lab(shared, new Lifecycle(silentLog), check.id);
      const context = {
        lab: new Proxy(lab, {
          get: (target, key) => (key === 'defer' ? target.defer.bind(target) : unfit()),
        }),
        release: unfit(),
        cluster: unfit(),
        kube: unfit(),
        subject: { ...shared.deps.subject, chart: FOREIGN, images: imagesOf(check.suite) },
        observe: () => {},
        note: () => {},
      } as unknown as CheckContext;
      const said = await countAssertions({ count: 0 }, async () => check.run(context)).then(
        () => 'passed',
        (error: unknown) => statusOfError(error, check.options),
      );
      if (said !== 'not-applicable') others.push(`${check.id} ${said}`);
    }
    expect(others).toEqual([]);
  });
});

function imagesOf(suite: string): { name: string; ref: string }[] {
  const { images = [] } = suites.find(({ name }) => name === suite)?.subject ?? {};
  return images.map(({ name, recipe }) => ({ name, ref: recipe.ref }));
}

/** `red`: the checks about names of which this subject is right. */
const SUBJECTS: { title: string; chart: string; suites: string[]; isRed: (id: string) => boolean }[] = [
  {
    title: 'that shares nothing with the reference',
    chart: FOREIGN,
    suites: suites.map(({ name }) => name),
    isRed: () => true,
  },
  {
    title: 'that is a registry under other names',
    chart: CATALOGUE,
    suites: ['tool-registry'],
    // Its variables have the names that the application reads.
    isRed: (id) => id !== 'tool-registry/R-40',
  },
];

describe.each(SUBJECTS)('a static check of a subject $title', ({ chart, suites: tried, isRed }) => {
  it('is red only when its requirement is about names', async () => {
    const objects = await objectsIn(chart);
    // Nothing runs here.
    vi.spyOn(Release.prototype, 'rolledOut').mockResolvedValue();
    const [{ shared = [] } = {}] = await loadCatalogue();
    const advice = shared.filter(({ level }) => level === 'advice').map(({ id }) => id);
    const results: CheckResult[] = [];
    for (const check of declared.filter(
      ({ options, suite }) => options.static === true && tried.includes(suite),
    )) {
      const definition = suites.find(({ name }) => name === check.suite);
      const { lab } = fakeLab({
        helm: {
          // It uses no values, as its templates show.
          render: ({ patches = [] }) =>
            Promise.resolve({ objects }).then((all) => ({ objects: patchObjects(all.objects, patches) })),
          install: () => Promise.resolve({} as never),
          lint: () => Promise.resolve({ ok: true, messages: [] }),
          definitions: () => Promise.resolve([]),
        },
        kube: {
          resources: () =>
            Promise.resolve(objects as unknown as Awaited<ReturnType<KubeClient['resources']>>),
          apply: (object) => Promise.resolve(object),
          isNamespaced: () => Promise.resolve(true),
        },
        deps: {
          ...(definition && { definition }),
          advice,
          subject: { chart, values: [], set: [], patches: [], reference: false, images: [] },
        },
      });
      lab.deps.cluster.imagesOnNodes = () => Promise.resolve(new Map<string, Set<string>>());
      results.push((await executeCheck(check, lab)).result);
    }
    const withStatus = (status: string): string[] =>
      results.filter((result) => result.status === status).map(({ id }) => id);
    const ids = results.map(({ id }) => id);
    const wanted = ABOUT_NAMES.filter((id) => ids.includes(id) && isRed(id));
    expect(withStatus('failed').toSorted()).toEqual(wanted.toSorted());
    expect(withStatus('errored')).toEqual([]);
    // Most of them do not fit a stranger, and most fit a relative, or the test would show little.
    const many = chart === FOREIGN ? 'not-applicable' : 'passed';
    expect(withStatus(many).length).toBeGreaterThan(results.length / 3);
    for (const { status, reason } of results) expect(status === 'passed' || reason !== undefined).toBe(true);
  });
});

async function objectsIn(folder: string): Promise<KubeObject[]> {
  const root = folder === FOREIGN ? join(folder, 'templates') : folder;
  const files = (await readdir(root)).filter((file) => file.endsWith('.yaml'));
  const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')));
  return texts.flatMap((text) => parseManifests(text).map(({ object }) => object));
}
