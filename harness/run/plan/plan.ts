/** The plan of a run: the chosen suites, requirements and faults, all of which exist. Pure; `--dry-run` prints it. */
import { maskSet } from '../../core/credentials.ts';
import { suggest } from '../../core/suggest.ts';
import { UsageError } from '../../core/errors.ts';
import type { Fault, PreviousVersion, ReferenceSubject, SuiteDefinition } from '../suite/definition.ts';
import { referenceOf } from '../suite/reference.ts';
import type { PreviousSubject, SubjectConfig, SubjectSource } from '../suite/worker-config.ts';
import type { RunOptions } from './options.ts';
import type { Requirement } from '../suite/requirements.ts';
import { CHECK_TAGS, tagFilter } from './tags.ts';

/** A suite with catalogued requirements and no checks yet. */
export interface UncheckedSuite {
  name: string;
  requirements: readonly Requirement[];
}

/** A suite with its own requirements; `definition.shared` has those that all suites share. */
export interface CataloguedSuite {
  definition: SuiteDefinition;
  requirements: readonly Requirement[];
  /** Requirements that all suites share; `definition.shared` has the ids of those that this suite verifies. */
  shared?: readonly Requirement[];
}

export interface SuitePlan {
  definition: SuiteDefinition;
  subject: SubjectConfig;
  /** Further reference subjects that faults of the plan are injected into, by name. */
  references: Readonly<Record<string, SubjectConfig>>;
  /** Requirement ids to check; `undefined` is all. */
  select: readonly string[] | undefined;
  /** Ids of the requirements that are advice: a failure of their checks is a warning. Absent with `--strict-advice`. */
  advice?: readonly string[];
  /** Names of the faults to prove; empty without `--prove`. */
  faults: readonly string[];
  /** Faults that are left out, because the run lacks the part of the reference subject that shows them. */
  notProvable: readonly { fault: string; reason: string }[];
}

export interface RunPlan {
  runId: string;
  suites: readonly SuitePlan[];
  /** Whether the checks run on the conforming subject: always, except for `--prove` without `--checks`. */
  checks: boolean;
  /** A number that changes between runs, for `--sample`. */
  rotation: number;
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
  const isCustom =
    options.chart !== undefined ||
    options.platform !== undefined ||
    options.reference !== undefined ||
    options.values.length > 0 ||
    options.set.length > 0 ||
    options.prerequisites.length > 0;
  if (isCustom && chosen.length !== 1) {
    throw new UsageError(
      'E_OPTION',
      '--chart, --platform, --reference, --values, --set and --prerequisites belong to one suite, but several are chosen',
      {
        hint: `Choose one of: ${chosen.map((c) => c.definition.name).join(', ')}`,
      },
    );
  }
  rejectUnknownReference(options, chosen);
  rejectPlatform(options, chosen);
  rejectUnknownImages(options, chosen);
  rejectMissingEnvironment(options, chosen);
  rejectForeignRequirements(options, catalogue, chosen);
  if (options.tags !== undefined) {
    tagFilter(options.tags, [...CHECK_TAGS, ...chosen.map((c) => c.definition.name)]);
  }
  const chosenIds = options.requirements.length > 0 ? options.requirements : undefined;
  const suites = chosen.map(({ definition, requirements, shared = [] }): SuitePlan => {
    const faults = chooseFaults(definition, options, rotation, partsIn(definition, options));
    const subject = subjectOf(definition, options);
    const select =
      chosenIds ?? (subject.platform === undefined ? undefined : definition.platform?.requirements);
    return {
      definition,
      subject,
      references: furtherReferences(definition, options, faults.faults),
      select: select?.filter((id) => isVerifiedBy({ definition, requirements }, id)),
      ...(!options.strictAdvice && { advice: adviceAmong([...requirements, ...shared]) }),
      ...faults,
    };
  });
  rejectUnknownFaults(
    options,
    suites.map((s) => s.definition),
  );
  if (options.prove) rejectWithoutFault(suites);
  return { runId, suites, checks: !options.prove || options.checks, rotation };
}

function adviceAmong(requirements: readonly Requirement[]): string[] {
  return requirements.filter(({ level }) => level === 'advice').map(({ id }) => id);
}

function rejectWithoutFault(suites: readonly SuitePlan[]): void {
  if (suites.some((s) => s.faults.length > 0)) return;
  const [first] = suites.flatMap((s) => s.notProvable);
  if (first) {
    throw new UsageError('E_NO_FAULT', `fault ${first.fault} is not provable here: ${first.reason}`, {
      hint: 'Choose other faults, or prove this one with its reference subject (without --image, --chart, --values and --set).',
    });
  }
  throw new UsageError('E_NO_FAULT', 'there is no fault to prove for the chosen requirements', {
    hint: '`npm run -s e2e -- --list` shows which requirements have faults.',
  });
}

/** The parts that run, of the reference subject that a fault belongs to. */
type PartsIn = (fault: Fault) => ReadonlySet<string>;

/**
 * The parts of the reference subjects that the options do not replace. Whether they really run is known once the images are prepared: the
 * values or the engine may have another image.
 */
function partsIn(definition: SuiteDefinition, options: RunOptions): PartsIn {
  return ({ reference }) => {
    const names = referenceOf(definition, reference).images.map(({ name }) => name);
    const images = names.filter((name) => options.images[name] === undefined);
    return new Set([...images, ...(options.chart === undefined ? NO_IMAGES : [])]);
  };
}

/** The parts of a reference subject that are no images and that `--chart` replaces, in the mark of a fault. */
const NO_IMAGES = ['chart', 'platform'];

/**
 * Chooses the faults again when it is known which stand-ins run. A part that the plan already lacks stays absent.
 *
 * @param runs whether the stand-in for the image of this name runs in the subject of the run, or in the further reference of that name
 */
export function withStandIns(
  plan: RunPlan,
  options: RunOptions,
  runs: (suite: SuitePlan, image: string, reference: string | undefined) => boolean,
): RunPlan {
  const suites = plan.suites.map((suite): SuitePlan => {
    const { definition } = suite;
    const planned = partsIn(definition, options);
    /** What has not been rendered is not known, and no fault can be injected into it any more. */
    const isRendered = (fault: Fault): boolean => {
      const further = furtherReferenceOf(fault, options);
      return further === undefined || suite.references[further] !== undefined;
    };
    const parts: PartsIn = (fault) => {
      const inOptions = [...planned(fault)];
      if (!isRendered(fault)) return new Set(inOptions);
      const { reference } = fault;
      return new Set(inOptions.filter((part) => NO_IMAGES.includes(part) || runs(suite, part, reference)));
    };
    const isLost = definition.faults.some(
      (fault) =>
        fault.standIn && planned(fault).has(fault.standIn.part) && !parts(fault).has(fault.standIn.part),
    );
    if (!isLost) return suite;
    return { ...suite, ...chooseFaults(definition, options, plan.rotation, parts, isRendered) };
  });
  return { ...plan, suites };
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
    const tested = owner?.requirements.find((r) => r.id === id)?.tested;
    if (tested) {
      throw new UsageError('E_NO_CHECKS', `requirement "${id}" is about the suites, not about a subject`, {
        hint: `A unit test verifies it: npx vitest run ${tested.file}`,
      });
    }
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
  const { reference } = options;
  if (reference !== undefined) {
    const having = catalogue.filter((c) => hasReference(c, reference));
    if (having.length > 0) return having;
  }
  if (options.platform !== undefined) {
    const having = catalogue.filter((c) => c.definition.platform !== undefined);
    if (having.length > 0) return having;
  }
  // A requirement or a fault implies its suite; a shared one the suite for any chart, unless all suites are asked for.
  const implied = catalogue.filter(
    (c) =>
      options.requirements.some((id) => (options.all ? isVerifiedBy(c, id) : isImplied(c, id, catalogue))) ||
      options.faults.some((name) => c.definition.faults.some((f) => f.name === name)),
  );
  const fallback = suiteOfAnyChart(options, catalogue);
  if (fallback) return [fallback];
  if (implied.length > 0) return implied;
  throw new UsageError('E_OPTION', 'no suite was chosen', {
    hint: `Add --all, --suite with one of ${names.join(', ')}, or --chart with a chart of your own`,
  });
}

/** A chart without a suite is judged by the suite for any chart, unless the chosen requirements or faults belong to another one. */
function suiteOfAnyChart(
  { chart, requirements, faults }: RunOptions,
  catalogue: readonly CataloguedSuite[],
): CataloguedSuite | undefined {
  if (chart === undefined) return undefined;
  return catalogue.find(
    (c) =>
      c.definition.anyChart === true &&
      requirements.every((id) => isVerifiedBy(c, id)) &&
      faults.every((name) => c.definition.faults.some((fault) => fault.name === name)),
  );
}

function hasReference({ definition }: CataloguedSuite, name: string): boolean {
  return definition.references?.[name] !== undefined;
}

function rejectUnknownReference({ reference }: RunOptions, chosen: readonly CataloguedSuite[]): void {
  if (reference === undefined || chosen.some((c) => hasReference(c, reference))) return;
  const [{ definition }] = chosen as [CataloguedSuite];
  const known = Object.keys(definition.references ?? {});
  throw new UsageError(
    'E_UNKNOWN_REFERENCE',
    `suite ${definition.name} has no further reference subject "${reference}"`,
    { hint: known.length > 0 ? didYouMean(reference, known) : 'Omit --reference: the suite has only one.' },
  );
}

/** Only some suites test platforms, and only some of their requirements are about one. */
function rejectPlatform(options: RunOptions, chosen: readonly CataloguedSuite[]): void {
  for (const { definition } of chosen) {
    const given = options.platform ?? platformOf(definition, options.reference);
    if (given === undefined) continue;
    const { platform } = definition;
    if (!platform) {
      throw new UsageError('E_OPTION', `suite ${definition.name} tests charts, not platforms`, {
        hint: 'Omit --platform, or omit --suite: a platform implies its suite.',
      });
    }
    if (options.prerequisites.length > 0) {
      throw new UsageError('E_OPTION', '--prerequisites belong to a chart, and the run tests a platform', {
        hint: 'Let the commands of the platform create what its servers need.',
      });
    }
    const other = options.requirements.find((id) => !platform.requirements.includes(id));
    if (other === undefined) continue;
    throw new UsageError('E_OPTION', `requirement ${other} is about a chart, and the run tests a platform`, {
      hint: `A platform is tested by ${platform.requirements.join(', ')}.`,
    });
  }
}

function platformOf(definition: SuiteDefinition, reference: string | undefined): string | undefined {
  return reference === undefined ? definition.subject.platform : definition.references?.[reference]?.platform;
}

function isVerifiedBy({ definition, requirements }: CataloguedSuite, id: string): boolean {
  return requirements.some((r) => r.id === id) || definition.shared.includes(id);
}

/** Several suites may verify a shared requirement. */
function isImplied(suite: CataloguedSuite, id: string, catalogue: readonly CataloguedSuite[]): boolean {
  const verifying = catalogue.filter((c) => isVerifiedBy(c, id));
  const generic = verifying.find(({ definition }) => definition.anyChart === true);
  const isShared = !verifying.some(({ requirements }) => requirements.some((row) => row.id === id));
  return generic && isShared ? suite === generic : verifying.includes(suite);
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
  const names = chosen.flatMap(({ definition: { subject, references = {} } }) =>
    [subject, ...Object.values(references)].flatMap(({ images }) => images.map((i) => i.name)),
  );
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

/** The subject of the run. */
function subjectOf(definition: SuiteDefinition, options: RunOptions): SubjectConfig {
  return {
    ...subjectFrom(referenceOf(definition, options.reference), options),
    ...(options.reference === undefined ? {} : { referenceName: options.reference }),
  };
}

/** The further references that these faults are injected into. Chart, values and `--set` belong to the subject of the run. */
function furtherReferences(
  definition: SuiteDefinition,
  options: RunOptions,
  names: readonly string[],
): Record<string, SubjectConfig> {
  const faults = definition.faults.filter(({ name }) => names.includes(name));
  const further = new Set(faults.flatMap((fault) => furtherReferenceOf(fault, options) ?? []));
  const { images } = options;
  return Object.fromEntries(
    [...further].map((name) => [
      name,
      {
        ...subjectFrom(referenceOf(definition, name), { images, values: [], set: [], prerequisites: [] }),
        referenceName: name,
      },
    ]),
  );
}

/** The name of the reference that this fault needs beside the subject of the run; a chart of the user replaces all references. */
function furtherReferenceOf({ reference }: Fault, options: RunOptions): string | undefined {
  return options.chart === undefined && reference !== options.reference ? reference : undefined;
}

type SubjectOptions = Pick<RunOptions, 'images' | 'values' | 'set' | 'prerequisites'> &
  Partial<
    Pick<
      RunOptions,
      'chart' | 'chartVersion' | 'platform' | 'previous' | 'previousVersion' | 'previousValues'
    >
  >;

function subjectFrom(subject: ReferenceSubject, options: SubjectOptions): SubjectConfig {
  const reference = options.chart === undefined;
  const platform = options.platform ?? (reference ? subject.platform : undefined);
  const set: string[] = [];
  const images: Record<string, string> = {};
  for (const { name, override } of subject.images) {
    const ref = options.images[name];
    if (ref === undefined) continue;
    if (typeof override === 'function') set.push(...override(ref));
    else for (const container of override.containers) images[container] = ref;
  }
  const source: SubjectSource = {
    chart: options.chart ?? subject.chart,
    ...(options.chartVersion === undefined ? {} : { chartVersion: options.chartVersion }),
    // Another chart may not have the keys of the reference values.
    values: options.values.length > 0 ? options.values : reference ? subject.values : [],
    set: [...set, ...options.set],
    patches: Object.keys(images).length > 0 ? [{ images }] : [],
  };
  const previous = reference ? earlier(source, subject.previous) : givenPrevious(source, options);
  return {
    ...source,
    ...(options.prerequisites.length > 0 && { prerequisites: options.prerequisites }),
    reference: reference && options.platform === undefined,
    ...(platform !== undefined && { platform }),
    ...(previous && platform === undefined && { previous }),
    images: subject.images.map((image) => ({
      name: image.name,
      ref: options.images[image.name] ?? image.recipe.ref,
    })),
  };
}

/** Of a reference: its own files in an earlier version. Images of the user run in both. */
function earlier(source: SubjectSource, previous: PreviousVersion | undefined): PreviousSubject | undefined {
  if (!previous) return undefined;
  const { version, patches } = previous;
  return {
    ...source,
    patches: [...patches, ...source.patches],
    ...(version !== undefined && { copiedAs: version }),
  };
}

/** Of the user: with the values and images of the subject, unless it has values of its own. */
function givenPrevious(
  { values, set, patches }: SubjectSource,
  { previous, previousVersion, previousValues = [] }: SubjectOptions,
): PreviousSubject | undefined {
  if (previous === undefined) return undefined;
  return {
    chart: previous,
    ...(previousVersion !== undefined && { chartVersion: previousVersion }),
    ...(previousValues.length > 0
      ? { values: previousValues, set: [], patches: [] }
      : { values, set, patches }),
  };
}

/**
 * Only faults that are provable with these parts of the reference subjects are sampled.
 *
 * @param mayBeChosen of the faults that are provable
 */
function chooseFaults(
  definition: SuiteDefinition,
  options: RunOptions,
  rotation: number,
  parts: PartsIn,
  mayBeChosen: (fault: Fault) => boolean = () => true,
): Pick<SuitePlan, 'faults' | 'notProvable'> {
  if (!options.prove) return { faults: [], notProvable: [] };
  const all = definition.faults.filter(
    (f) =>
      (options.reference === undefined || options.reference === f.reference) &&
      (options.faults.length === 0 || options.faults.includes(f.name)) &&
      (options.requirements.length === 0 || f.requirements.some((id) => options.requirements.includes(id))),
  );
  const notProvable = all.flatMap((fault) => {
    const reason = notProvableBecause(fault, options, parts);
    return reason === undefined ? [] : [{ fault: fault.name, reason }];
  });
  const leftOut = new Set(notProvable.map(({ fault }) => fault));
  const names = all.filter((f) => !leftOut.has(f.name) && mayBeChosen(f)).map((f) => f.name);
  return { faults: sampled(names, options.sample, rotation), notProvable };
}

function notProvableBecause(fault: Fault, options: RunOptions, parts: PartsIn): string | undefined {
  const { standIn } = fault;
  if (standIn && !parts(fault).has(standIn.part)) return standIn.reason;
  const further = furtherReferenceOf(fault, options);
  if (further !== undefined && (options.values.length > 0 || options.set.length > 0)) {
    return `it is injected into the reference subject ${further}, and --values and --set are for another one`;
  }
  return undefined;
}

function sampled(names: readonly string[], size: number | undefined, rotation: number): string[] {
  if (size === undefined || names.length <= size) return [...names];
  const start = (rotation * size) % names.length;
  return [...names, ...names].slice(start, start + size);
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const near = suggest(word, candidates);
  if (near !== undefined) return `Did you mean "${near}"?`;
  return candidates.length <= 20 ? `Available: ${candidates.join(', ')}.` : 'No similar name exists.';
}

/** One line for each reason: `not provable here, because …: a, b`. */
export function notProvableLines(faults: SuitePlan['notProvable']): string[] {
  const byReason = new Map<string, string[]>();
  for (const { fault, reason } of faults) byReason.set(reason, [...(byReason.get(reason) ?? []), fault]);
  return [...byReason].map(([reason, names]) => `not provable here, because ${reason}: ${names.join(', ')}`);
}

function previousLines({ previous, reference }: SubjectConfig): string[] {
  if (!previous || reference) return [];
  const { chart, chartVersion } = previous;
  return [`  version before: chart ${chart}${chartVersion === undefined ? '' : ` ${chartVersion}`}`];
}

/** The plan as lines of text. */
export function describePlan(plan: RunPlan, topology: string): string[] {
  return [
    `cluster: ${topology}`,
    ...plan.suites.flatMap((s) => [
      s.subject.platform === undefined
        ? `suite ${s.definition.name}: chart ${s.subject.chart}${s.subject.chartVersion === undefined ? '' : ` ${s.subject.chartVersion}`}`
        : `suite ${s.definition.name}: platform ${s.subject.platform}`,
      ...previousLines(s.subject),
      ...(s.subject.platform === undefined ? s.subject.values.map((file) => `  values ${file}`) : []),
      ...s.subject.set.map((pair) => `  set ${maskSet(pair)}`),
      ...(s.subject.prerequisites ?? []).map((file) => `  prerequisites ${file}`),
      ...s.subject.images.map((image) => `  image ${image.name} = ${image.ref}`),
      ...Object.entries(s.references).map(
        ([name, { chart }]) => `  for faults: reference ${name}, chart ${chart}`,
      ),
      s.select ? `  requirements ${s.select.join(', ')}` : '  all requirements',
      ...(s.faults.length > 0 ? [`  faults ${s.faults.join(', ')}`] : []),
      ...notProvableLines(s.notProvable).map((line) => `  ${line}`),
    ]),
  ];
}
