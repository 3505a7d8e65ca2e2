/** Suites that are given by the path of their file: compiled, loaded, and in the place of their name. */
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf, UsageError } from '../harness/core/errors.ts';
import type { CataloguedSuite } from '../harness/run/plan/plan.ts';
import type { SuiteDefinition } from '../harness/run/suite/definition.ts';
import type { OwnSuite } from '../suites/given/define-suite.ts';
import { definitionOf } from '../suites/given/definition-of.ts';
import { loadCatalogue, suites } from '../suites/index.ts';
import { compileSuite } from './compile.mjs';
import { projectRoot } from './project.ts';

/** Whether `--suite` names a file or folder, not a suite of this project. */
export function isPath(suite: string): boolean {
  return /[/\\]|\.[mc]?ts$/.test(suite);
}

/** The options with absolute paths of suites, which another working directory does not change. */
export function withAbsoluteSuites<Options extends { suites: readonly string[] }>(options: Options): Options {
  return { ...options, suites: options.suites.map((name) => (isPath(name) ? resolve(name) : name)) };
}

/**
 * Replaces paths of suites by their names.
 *
 * @returns `given` has the suites at these paths
 * @throws UsageError `E_SUITE` when there is no such file, it is no suite, or its name is taken
 */
export async function withGivenSuites<Options extends { suites: string[] }>(
  options: Options,
): Promise<{ options: Options; given: SuiteDefinition[] }> {
  const given: SuiteDefinition[] = [];
  const names: string[] = [];
  for (const name of options.suites) {
    if (!isPath(name)) {
      names.push(name);
      continue;
    }
    const definition = await loadSuite(name);
    if ([...suites, ...given].some((other) => other.name === definition.name))
      throw unusable(name, `there is another suite ${definition.name}`, 'Give the suite another name.');
    given.push(definition);
    names.push(definition.name);
  }
  return { options: { ...options, suites: names }, given };
}

/** The given suites, and those of this project. */
export async function catalogueWith(given: readonly SuiteDefinition[]): Promise<CataloguedSuite[]> {
  const catalogue = await loadCatalogue();
  const shared = catalogue[0]?.shared ?? [];
  const own = given.map((definition) => ({
    definition,
    requirements: definition.requirements ?? [],
    shared,
  }));
  return [...own, ...catalogue];
}

async function loadSuite(path: string): Promise<SuiteDefinition> {
  const at = resolve(path);
  const isFolder = statSync(at, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? join(at, 'suite.ts') : at;
  if (!existsSync(file)) {
    throw unusable(path, `there is no file ${file}`, 'Give the file that exports the suite, or its folder.');
  }
  const code = await compileSuite(projectRoot, file).catch((error: unknown) => {
    throw unusable(path, messageOf(error), 'Correct the file; see docs/writing-a-suite.md.');
  });
  const loaded = (await import(/* @vite-ignore */ pathToFileURL(join(code, 'suite.mjs')).href)) as {
    default: OwnSuite;
  };
  return {
    ...definitionOf(loaded.default, file),
    code: { checks: join(code, 'checks.e2e.mjs'), proofs: join(code, 'prove.e2e.mjs') },
  };
}

function unusable(path: string, why: string, hint: string): UsageError {
  return new UsageError('E_SUITE', `--suite ${path}: ${why}`, { hint });
}
