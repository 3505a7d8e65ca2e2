/** The options of `npm run e2e`: parsed, validated, typed. Pure, so wrong usage creates nothing. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { UsageError } from '../../core/errors.ts';
import { duration, parseArguments, positiveInteger, wholeNumber, type OptionsOf } from './parse-arguments.ts';

const EXAMPLES = `
Examples:
  npm run e2e -- --suite toolman                          test the reference chart on a new cluster
  npm run e2e -- --suite toolman --keep                   the same, and keep the cluster for inspection
  npm run e2e -- --suite toolman --reuse                  test again on the kept cluster
  npm run e2e -- --chart ../my-chart                      judge any chart by what it renders
  npm run e2e -- --chart ../my-chart --prerequisites database.yaml
                                                          the same, for a chart that needs a database in its namespace
  npm run e2e -- --suite toolman --chart ../my-chart --values my-values.yaml --image toolman=me/toolman:dev
  npm run e2e -- --suite toolman --chart oci://ghcr.io/me/charts/toolman --chart-version 1.4.0
  npm run e2e -- --chart ../my-chart --previous oci://ghcr.io/me/charts/my-chart --previous-version 1.3.0
  npm run e2e -- --platform ../platform/kindproof.yaml    test a platform by its commands, whatever it is written in
  npm run e2e -- --suite ../my-suite/suite.ts             run a suite of your own: docs/writing-a-suite.md
  npm run e2e -- --requirement T-35 T-28 --reuse          only the checks of two requirements
  npm run e2e -- --suite toolman --prove                  inject every fault and verify that it is caught
  npm run e2e -- --all --cluster existing --kubeconfig ./staging.yaml --context staging
  npm run -s e2e -- --list --json                         all requirements with their checks and faults

Exit codes: 0 all passed, 1 a check failed, 2 wrong usage, 3 no verdict or not everything was removed, 130 interrupted.`;

function e2eCommand() {
  return new Command('e2e')
    .description('Proves on a real cluster that a chart keeps the promises of its documents.')
    .option(
      '--suite <name...>',
      'suites to run: names, or paths of suites of your own, e.g. ./my-suite/suite.ts',
      names,
    )
    .option('--all', 'run every suite', false)
    .option('--requirement <id...>', 'only the checks of these requirements, e.g. T-35', names)
    .option('--tags <expression>', 'only checks with these tags, e.g. "live and not disruptive"')
    .option('--chart <path>', 'chart to test instead of the reference chart: a folder, a package, or oci://…')
    .option(
      '--platform <file>',
      'test a platform in place of a chart: the description of its commands (YAML)',
    )
    .option('--reference <name>', 'test this further reference subject of the suite, and prove its faults')
    .option('--chart-version <version>', 'version of a chart given as oci://… (default: the newest)')
    .option(
      '--previous <path>',
      'the version of the chart before, to upgrade from and to go back to: a folder, a package, or oci://…',
    )
    .option('--previous-version <version>', 'version of --previous given as oci://… (default: the newest)')
    .option(
      '--previous-values <file...>',
      'values files for --previous (default: --values, --set and --image of the chart)',
    )
    .option('--values <file...>', 'values files to use instead of the reference values')
    .option('--set <key=value...>', 'single values; override all values files')
    .option(
      '--prerequisites <file...>',
      'manifests that the chart expects to find in its namespace; applied before each install',
    )
    .option('--image <name=ref...>', 'image to use instead, e.g. toolman=ghcr.io/me/toolman:dev', image)
    .addOption(
      new Option('--cluster <provider>', 'where to run').choices(['kind', 'existing']).default('kind'),
    )
    .option('--kubeconfig <file>', 'kubeconfig file for --cluster existing')
    .option('--context <name>', 'kubeconfig context for --cluster existing')
    .option('--kubernetes <version>', 'Kubernetes version of the kind node image, e.g. 1.36.3', version)
    .option(
      '--no-provide',
      'add nothing that the chart asks for: no storage classes, and for any chart two plain workers',
    )
    .option('--keep', 'keep the cluster and its releases; prints how to connect', false)
    .option('--reuse', 'use the kept cluster if it fits, and keep it again', false)
    .option('--rerun <run>', 'use chart, values, images and cluster of an earlier run: its id, or latest')
    .option('--prove', 'inject every fault and verify that it is caught', false)
    .option('--fault <name...>', 'with --prove: only these faults', fault)
    .option('--checks', 'with --prove: first run the checks on the conforming subject', false)
    .option(
      '--sample <count>',
      'with --prove: a rotating sample of this many faults per suite',
      positiveInteger,
    )
    .option('--shard <i/n>', 'run the i-th of n parts of the checks', shard)
    .option(
      '--timeout <duration>',
      'take down and end after this time, e.g. 90m (default: no limit)',
      duration,
    )
    .option('--strict', 'count a skipped check as a failure', false)
    .option('--strict-advice', 'count a warning as a failure', false)
    .option('--out <dir>', 'run directory (default: runs/<id>)')
    .option(
      '--keep-runs <count>',
      'how many directories stay in runs/, the newest; 0 for all',
      wholeNumber,
      20,
    )
    .option('--dry-run', 'print the plan and stop', false)
    .option('--list', 'list requirements, checks and faults, and stop', false)
    .option('--json', 'machine-readable output of --list or --dry-run', false)
    .option('--verbose', 'also show what each passing check observed', false)
    .addHelpText('after', EXAMPLES);
}

type Flags = OptionsOf<ReturnType<typeof e2eCommand>>;

/** The flags, with plural names and empty lists where a flag may be repeated. */
export interface RunOptions extends Omit<
  Flags,
  'suite' | 'requirement' | 'fault' | 'image' | 'values' | 'set' | 'prerequisites' | 'previousValues'
> {
  suites: string[];
  requirements: string[];
  faults: string[];
  values: string[];
  set: string[];
  prerequisites: string[];
  previousValues: string[];
  /** Name of an image of the subject -> reference to use instead. */
  images: Record<string, string>;
}

/** Returns `undefined` for `--help`, after printing it. */
export function parseOptions(argv: readonly string[], out: (text: string) => void): RunOptions | undefined {
  const flags = parseArguments(e2eCommand(), argv, out);
  if (!flags) return undefined;
  const { suite = [], requirement = [], fault = [], image = {}, values = [], set = [], ...others } = flags;
  const { prerequisites = [], previousValues = [], ...rest } = others;
  const options = {
    ...rest,
    suites: suite,
    requirements: requirement,
    faults: fault,
    images: image,
    values,
    set,
    prerequisites,
    previousValues,
  };
  rejectContradictions(options);
  return options;
}

function rejectContradictions(options: RunOptions): void {
  const bad = (message: string, hint: string): never => {
    throw new UsageError('E_OPTION', message, { hint });
  };
  if (options.all && options.suites.length > 0)
    bad('--all and --suite exclude each other', 'Give one of them.');
  if (options.reference !== undefined && options.chart !== undefined)
    bad('--reference and --chart exclude each other', 'Give one of them.');
  if (options.platform !== undefined && (options.chart !== undefined || options.reference !== undefined))
    bad(
      '--platform excludes --chart and --reference',
      'A platform is tested in place of a chart. Give one of them.',
    );
  if (options.platform !== undefined && options.values.length + options.set.length > 0)
    bad('--values and --set belong to a chart', 'Write the settings of a platform into its description.');
  if (options.platform !== undefined && options.prove)
    bad(
      '--platform and --prove exclude each other',
      'Defects are injected into a platform of kindproof: use --reference in place of --platform.',
    );
  if (options.chartVersion !== undefined && options.chart?.startsWith('oci://') !== true) {
    bad(
      '--chart-version belongs to a chart in a registry',
      'Give --chart oci://HOST/REPOSITORY/CHART, or omit it: a folder or package has one version.',
    );
  }
  if (options.previous !== undefined && options.chart === undefined && options.rerun === undefined)
    bad('--previous belongs to --chart', 'Add --chart: the reference subjects have a version before.');
  if (options.previousVersion !== undefined && options.previous?.startsWith('oci://') !== true)
    bad(
      '--previous-version belongs to a chart in a registry',
      'Give --previous oci://HOST/REPOSITORY/CHART, or omit it: a folder or package has one version.',
    );
  if (options.previousValues.length > 0 && options.previous === undefined)
    bad('--previous-values belongs to --previous', 'Give --previous with the version of the chart before.');
  if (options.cluster === 'existing' && (!options.kubeconfig || !options.context)) {
    bad(
      '--cluster existing needs --kubeconfig FILE and --context NAME',
      'kindproof uses a cluster that it did not create only when both are given.',
    );
  }
  if (options.cluster === 'kind' && (options.kubeconfig !== undefined || options.context !== undefined)) {
    bad('--kubeconfig and --context belong to --cluster existing', 'Add --cluster existing, or omit them.');
  }
  if (options.cluster === 'existing' && (options.keep || options.reuse)) {
    bad(
      '--keep and --reuse belong to --cluster kind',
      'An existing cluster is never deleted; only the namespaces of the run are.',
    );
  }
  if (options.cluster === 'existing' && options.kubernetes !== undefined) {
    bad('--kubernetes belongs to --cluster kind', 'Omit it: the version of an existing cluster is fixed.');
  }
  if (options.cluster === 'existing' && !options.provide) {
    bad('--no-provide belongs to --cluster kind', 'Omit it: nothing is added to an existing cluster.');
  }
  if (!options.prove && (options.faults.length > 0 || options.sample !== undefined || options.checks)) {
    bad('--fault, --sample and --checks belong to --prove', 'Add --prove.');
  }
  if (options.prove && (options.tags !== undefined || options.shard !== undefined)) {
    bad(
      '--tags and --shard choose checks; --prove injects faults',
      'Choose faults with --requirement, --fault or --sample, and use --tags and --shard in a run without --prove.',
    );
  }
  if (options.faults.length > 0 && options.sample !== undefined) {
    bad('--fault and --sample exclude each other', 'Give one of them.');
  }
  if (options.json && !options.list && !options.dryRun) {
    bad('--json belongs to --list or --dry-run', 'The report of a run is runs/latest/report.json.');
  }
}

/** Accumulates names, also from lists such as `a,b`; each once. */
function names(text: string, previous: string[] = []): string[] {
  return [...new Set([...previous, ...text.split(',')])];
}

function fault(name: string, previous: string[] = []): string[] {
  return [...new Set([...previous, name])];
}

function image(pair: string, previous: Record<string, string> = {}): Record<string, string> {
  const [, name, ref] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
  if (name === undefined || ref === undefined) {
    throw new UsageError('E_OPTION', `--image "${pair}" is not of the form NAME=REF`, {
      hint: 'For example --image toolman=ghcr.io/me/toolman:dev',
    });
  }
  return { ...previous, [name]: ref };
}

function version(text: string): string {
  const [, number] = /^v?(\d+\.\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('a version is needed, e.g. 1.36.3.');
  return `v${number}`;
}

function shard(text: string): { index: number; count: number } {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (index === undefined || count === undefined || +index < 1 || +index > +count) {
    throw new InvalidArgumentError('I/N with 1 <= I <= N is needed, e.g. 1/3.');
  }
  return { index: +index, count: +count };
}
