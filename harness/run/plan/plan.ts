/** The plan of a run: the chosen suites, requirements and faults, all of which exist. Pure; `--dry-run` prints it. */
import { suggest } from '../../core/suggest.ts';
import { UsageError } from '../../core/errors.ts';
import type { SuiteDefinition } from '../suite/definition.ts';
import type { SubjectConfig } from '../suite/worker-config.ts';
import type { RunOptions } from './options.ts';
import type { Requirement } from './requirements.ts';
import { CHECK_TAGS, rejectBadTags } from './tags.ts';

/** A suite with catalogued requirements and no checks yet. */
export interface UncheckedSuite {
  name: string;
  requirements: readonly Requirement[];
}

/** A suite with its own requirements; `definition.shared` has those that all suites share. */
export interface CataloguedSuite {
  definition: SuiteDefinition;
  requirements: readonly Requirement[];
}

export interface SuitePlan {
  definition: SuiteDefinition;
  subject: SubjectConfig;
  /** Requirement ids to check; `undefined` is all. */
  select: readonly string[] | undefined;
  /** Names of the faults to prove; empty without `--prove`. */
  faults: readonly string[];
}

export interface RunPlan {
  runId: string;
  suites: readonly SuitePlan[];
  /** Whether the checks run on the conforming subject: always, except for `--prove` without `--checks`. */
  checks: boolean;
}

/**
 * Chooses suites, requirements and faults.
 *
 * @param rotation a number that changes between runs, for `--sample`
 * @param unchecked suites without checks, which get their own error
 * @throws UsageError naming what does not exist, with the nearest existing name
 */
export function planRun(
  options: RunOptions,
  catalogue: readonly CataloguedSuite[],
  runId: string,
  rotation: number,
  unchecked: readonly UncheckedSuite[] = [],
): RunPlan {
  const chosen = chooseSuites(options, catalogue, unchecked);
  const isCustom = options.chart !== undefined || options.values.length > 0 || options.set.length > 0;
  if (isCustom && chosen.length !== 1) {
    throw new UsageError(
      'E_OPTION',
      '--chart, --values and --set belong to one suite, but several are chosen',
      {
        hint: `Choose one of: ${chosen.map((c) => c.definition.name).join(', ')}`,
      },
    );
  }
  rejectUnknownImages(options, chosen);
  rejectMissingEnvironment(options, chosen);
  rejectForeignRequirements(options, catalogue, chosen);
  if (options.tags !== undefined) {
    rejectBadTags(options.tags, [...CHECK_TAGS, ...chosen.map((c) => c.definition.name)]);
  }
  const select = options.requirements.length > 0 ? options.requirements : undefined;
  const suites = chosen.map(({ definition, requirements }): SuitePlan => ({
    definition,
    subject: subjectOf(definition, options),
    select: select?.filter((id) => isVerifiedBy({ definition, requirements }, id)),
    faults: options.prove ? chooseFaults(definition, options, rotation) : [],
  }));
  rejectUnknownFaults(
    options,
    suites.map((s) => s.definition),
  );
  if (options.prove && suites.every((s) => s.faults.length === 0)) {
    throw new UsageError('E_NO_FAULT', 'there is no fault to prove for the chosen requirements', {
      hint: '`npm run -s e2e -- --list` shows which requirements have faults.',
    });
  }
  return { runId, suites, checks: !options.prove || options.checks };
}

function chooseSuites(
  options: RunOptions,
  catalogue: readonly CataloguedSuite[],
  unchecked: readonly UncheckedSuite[],
): CataloguedSuite[] {
  const names = catalogue.map((c) => c.definition.name);
  for (const name of options.suites) {
    if (names.includes(name)) continue;
    if (name === 'all')
      throw new UsageError('E_UNKNOWN_SUITE', 'no suite is called "all"', { hint: 'Use --all.' });
    if (unchecked.some((u) => u.name === name)) throw noChecksYet(`suite "${name}"`, names);
    throw new UsageError('E_UNKNOWN_SUITE', `there is no suite "${name}"`, { hint: didYouMean(name, names) });
  }
  const ids = catalogue.flatMap((c) => [...c.requirements.map((r) => r.id), ...c.definition.shared]);
  for (const id of options.requirements) {
    if (ids.includes(id)) continue;
    const owner = unchecked.find((u) => u.requirements.some((r) => r.id === id));
    if (owner) throw noChecksYet(`requirement "${id}" of suite ${owner.name}`, names);
    throw new UsageError('E_UNKNOWN_REQUIREMENT', `there is no requirement "${id}"`, {
      hint: `${didYouMean(id, ids)} \`npm run -s e2e -- --list\` shows all.`,
    });
  }
  // With --requirement, --all means every suite that verifies one of them.
  if (options.all && options.requirements.length === 0) return [...catalogue];
  if (options.suites.length > 0) return catalogue.filter((c) => options.suites.includes(c.definition.name));
  rejectUnknownFaults(
    options,
    catalogue.map((c) => c.definition),
  );
  // A requirement or a fault implies its suite.
  const implied = catalogue.filter(
    (c) =>
      options.requirements.some((id) => isVerifiedBy(c, id)) ||
      options.faults.some((name) => c.definition.faults.some((f) => f.name === name)),
  );
  if (implied.length > 0) return implied;
  throw new UsageError('E_OPTION', 'no suite was chosen', {
    hint: `Add --all, or --suite with one of: ${names.join(', ')}`,
  });
}

function isVerifiedBy({ definition, requirements }: CataloguedSuite, id: string): boolean {
  return requirements.some((r) => r.id === id) || definition.shared.includes(id);
}

function noChecksYet(what: string, runnable: readonly string[]): UsageError {
  return new UsageError('E_NO_CHECKS', `${what} has no checks yet`, {
    hint: `Only its requirements are catalogued. Suites that can be run: ${runnable.join(', ')}`,
  });
}

/** `--suite a --requirement <one of b>` would create a cluster and run no check. */
function rejectForeignRequirements(
  options: RunOptions,
  catalogue: readonly CataloguedSuite[],
  chosen: readonly CataloguedSuite[],
): void {
  for (const id of options.requirements) {
    if (chosen.some((c) => isVerifiedBy(c, id))) continue;
    const owner = catalogue.find((c) => isVerifiedBy(c, id))?.definition.name ?? '';
    throw new UsageError('E_OPTION', `requirement "${id}" belongs to suite ${owner}, which was not chosen`, {
      hint: `Add --suite ${owner}, or omit --suite: a requirement implies its suite.`,
    });
  }
  const idle = chosen.find(
    (c) => options.requirements.length > 0 && !options.requirements.some((id) => isVerifiedBy(c, id)),
  );
  if (idle && options.suites.length > 0) {
    throw new UsageError(
      'E_OPTION',
      `none of the chosen requirements belongs to suite ${idle.definition.name}`,
      {
        hint: 'Omit --suite: a requirement implies its suite.',
      },
    );
  }
}

function rejectUnknownFaults(options: RunOptions, definitions: readonly SuiteDefinition[]): void {
  const known = definitions.flatMap((d) => d.faults.map((f) => f.name));
  for (const name of options.faults) {
    if (known.includes(name)) continue;
    throw new UsageError('E_UNKNOWN_FAULT', `there is no fault "${name}"`, { hint: didYouMean(name, known) });
  }
}

function rejectUnknownImages(options: RunOptions, chosen: readonly CataloguedSuite[]): void {
  const names = chosen.flatMap((c) => c.definition.subject.images.map((i) => i.name));
  for (const name of Object.keys(options.images)) {
    if (names.includes(name)) continue;
    throw new UsageError('E_UNKNOWN_IMAGE', `no chosen suite has an image named "${name}"`, {
      hint: didYouMean(name, names),
    });
  }
}

/** Programs outside the cluster are on the network of kind's nodes; existing clusters have no route to them. */
function rejectMissingEnvironment(options: RunOptions, chosen: readonly CataloguedSuite[]): void {
  if (options.cluster !== 'existing') return;
  for (const { definition } of chosen) {
    if (!definition.environment) continue;
    throw new UsageError(
      'E_NO_ENVIRONMENT',
      `suite ${definition.name} needs ${definition.environment.title} on the network of the cluster's nodes; existing clusters have no route to it`,
      { hint: 'Omit --cluster, --kubeconfig and --context for this suite.' },
    );
  }
}

function subjectOf(definition: SuiteDefinition, options: RunOptions): SubjectConfig {
  const { subject } = definition;
  const reference = options.chart === undefined;
  const set: string[] = [];
  const images: Record<string, string> = {};
  for (const { name, override } of subject.images) {
    const ref = options.images[name];
    if (ref === undefined) continue;
    if (typeof override === 'function') set.push(...override(ref));
    else for (const container of override.containers) images[container] = ref;
  }
  return {
    chart: options.chart ?? subject.chart,
    // Another chart may not have the keys of the reference values.
    values: options.values.length > 0 ? options.values : reference ? subject.values : [],
    set: [...set, ...options.set],
    patches: Object.keys(images).length > 0 ? [{ images }] : [],
    reference,
    images: subject.images.map((image) => ({
      name: image.name,
      ref: options.images[image.name] ?? image.recipe.ref,
    })),
  };
}

function chooseFaults(definition: SuiteDefinition, options: RunOptions, rotation: number): string[] {
  const all = definition.faults.filter(
    (f) =>
      (options.faults.length === 0 || options.faults.includes(f.name)) &&
      (options.requirements.length === 0 || f.requirements.some((id) => options.requirements.includes(id))),
  );
  const names = all.map((f) => f.name);
  if (options.sample === undefined || names.length <= options.sample) return names;
  const start = (rotation * options.sample) % names.length;
  return [...names, ...names].slice(start, start + options.sample);
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const near = suggest(word, candidates);
  if (near !== undefined) return `Did you mean "${near}"?`;
  return candidates.length <= 20 ? `Available: ${candidates.join(', ')}.` : 'No similar name exists.';
}

/** The plan as lines of text. */
export function describePlan(plan: RunPlan, topology: string): string[] {
  return [
    `cluster: ${topology}`,
    ...plan.suites.flatMap((s) => [
      `suite ${s.definition.name}: chart ${s.subject.chart}`,
      ...s.subject.values.map((file) => `  values ${file}`),
      ...s.subject.set.map((pair) => `  set ${pair}`),
      ...s.subject.images.map((image) => `  image ${image.name} = ${image.ref}`),
      s.select ? `  requirements ${s.select.join(', ')}` : '  all requirements',
      ...(s.faults.length > 0 ? [`  faults ${s.faults.join(', ')}`] : []),
    ]),
  ];
}
