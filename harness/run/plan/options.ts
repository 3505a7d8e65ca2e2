/** The options of `npm run e2e`: parsed, validated, typed. Nothing is created before they are known to be good. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../../core/errors.ts';

export interface RunOptions {
  suites: string[];
  all: boolean;
  requirements: string[];
  tags: string | undefined;
  chart: string | undefined;
  values: string[];
  set: string[];
  /** Name of an image of the subject -> reference to use instead. */
  images: Record<string, string>;
  cluster: 'kind' | 'existing';
  kubeconfig: string | undefined;
  context: string | undefined;
  kubernetes: string | undefined;
  keep: boolean;
  reuse: boolean;
  prove: boolean;
  faults: string[];
  /** With `--prove`: run the checks on the conforming subject as well. */
  checks: boolean;
  /** With `--prove`: a rotating sample of that many faults per suite instead of all. */
  sample: number | undefined;
  shard: { index: number; count: number } | undefined;
  strict: boolean;
  out: string | undefined;
  dryRun: boolean;
  list: boolean;
  json: boolean;
  verbose: boolean;
}

const EXAMPLES = `
Examples:
  npm run e2e -- --suite toolman                          the reference chart on a fresh cluster
  npm run e2e -- --suite toolman --keep                   … and leave the cluster for a look
  npm run e2e -- --suite toolman --reuse                  again, on the cluster that was kept
  npm run e2e -- --suite toolman --chart ../my-chart --values my-values.yaml --image toolman=me/toolman:dev
  npm run e2e -- --requirement T-35 T-28 --reuse          only the checks of two requirements
  npm run e2e -- --suite toolman --prove                  put every fault in and see it caught
  npm run e2e -- --all --cluster existing --kubeconfig ./staging.yaml --context staging
  npm run -s e2e -- --list --json                         all requirements, their checks and faults

Exit codes: 0 all passed, 1 a check failed, 2 wrong usage, 3 the infrastructure failed, 130 interrupted.`;

/** `undefined` when only help was asked for (it has been printed). */
export function parseOptions(argv: readonly string[], out: (text: string) => void): RunOptions | undefined {
  const command = new Command('e2e')
    .description('Proves on a real cluster that a chart keeps the promises of its documents.')
    .option('--suite <name...>', 'suites to run')
    .option('--all', 'every suite', false)
    .option('--requirement <id...>', 'only the checks of these requirements, e.g. T-35')
    .option('--tags <expression>', 'only checks with these tags, e.g. "live and not disruptive"')
    .option('--chart <path>', "chart to put in the reference chart's place")
    .option('--values <file...>', 'values files, instead of the reference values')
    .option('--set <key=value...>', 'single values, over all files')
    .option('--image <name=ref...>', 'image to use instead, e.g. toolman=ghcr.io/me/toolman:dev')
    .addOption(
      new Option('--cluster <provider>', 'where to run').choices(['kind', 'existing']).default('kind'),
    )
    .option('--kubeconfig <file>', 'with --cluster existing')
    .option('--context <name>', 'with --cluster existing')
    .option('--kubernetes <version>', 'Kubernetes version of the kind node image, e.g. 1.36.3', version)
    .option('--keep', 'leave the cluster and what is installed; says how to get in', false)
    .option('--reuse', 'use the cluster that was kept, if it fits; keeps it again', false)
    .option('--prove', 'put every fault in and see whether it is caught', false)
    .option('--fault <name...>', 'with --prove: only these faults')
    .option('--checks', 'with --prove: first run the checks on the conforming subject', false)
    .option('--sample <count>', 'with --prove: a rotating sample of so many faults a suite', positiveInteger)
    .option('--shard <i/n>', 'run the i-th of n parts of the checks', shard)
    .option('--strict', 'a skipped check is a failure', false)
    .option('--out <dir>', 'run directory; default runs/<id>')
    .option('--dry-run', 'print the plan and stop', false)
    .option('--list', 'list requirements, checks and faults, and stop', false)
    .option('--json', 'machine-readable output of --list or --dry-run', false)
    .option('--verbose', 'also show what each passing check saw', false)
    .addHelpText('after', EXAMPLES)
    .allowExcessArguments(false)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: () => {} });

  try {
    command.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new UsageError('E_OPTION', error.message.replace(/^error: /, ''), {
      hint: 'Run `npm run e2e -- --help` for the options and examples.',
    });
  }
  const raw = command.opts<{
    suite?: string[];
    all: boolean;
    requirement?: string[];
    tags?: string;
    chart?: string;
    values?: string[];
    set?: string[];
    image?: string[];
    cluster: 'kind' | 'existing';
    kubeconfig?: string;
    context?: string;
    kubernetes?: string;
    keep: boolean;
    reuse: boolean;
    prove: boolean;
    fault?: string[];
    checks: boolean;
    sample?: number;
    shard?: { index: number; count: number };
    strict: boolean;
    out?: string;
    dryRun: boolean;
    list: boolean;
    json: boolean;
    verbose: boolean;
  }>();
  const options: RunOptions = {
    suites: unique(raw.suite?.flatMap((name) => name.split(','))),
    all: raw.all,
    requirements: unique(raw.requirement?.flatMap((id) => id.split(','))),
    tags: raw.tags,
    chart: raw.chart,
    values: raw.values ?? [],
    set: raw.set ?? [],
    images: parseImages(raw.image ?? []),
    cluster: raw.cluster,
    kubeconfig: raw.kubeconfig,
    context: raw.context,
    kubernetes: raw.kubernetes,
    keep: raw.keep,
    reuse: raw.reuse,
    prove: raw.prove,
    faults: unique(raw.fault),
    checks: raw.checks,
    sample: raw.sample,
    shard: raw.shard,
    strict: raw.strict,
    out: raw.out,
    dryRun: raw.dryRun,
    list: raw.list,
    json: raw.json,
    verbose: raw.verbose,
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
  if (options.cluster === 'existing' && (!options.kubeconfig || !options.context)) {
    bad(
      '--cluster existing needs --kubeconfig FILE and --context NAME',
      'A cluster that kindproof did not create is only touched when it was named in so many words.',
    );
  }
  if (options.cluster === 'kind' && (options.kubeconfig !== undefined || options.context !== undefined)) {
    bad(
      '--kubeconfig and --context belong to --cluster existing',
      'Add --cluster existing, or leave them out.',
    );
  }
  if (options.cluster === 'existing' && (options.keep || options.reuse)) {
    bad(
      '--keep and --reuse belong to --cluster kind',
      'An existing cluster always stays; its namespaces are removed.',
    );
  }
  if (options.cluster === 'existing' && options.kubernetes !== undefined) {
    bad('--kubernetes belongs to --cluster kind', 'An existing cluster has the version that it has.');
  }
  if (!options.prove && (options.faults.length > 0 || options.sample !== undefined || options.checks)) {
    bad('--fault, --sample and --checks belong to --prove', 'Add --prove.');
  }
  if (options.faults.length > 0 && options.sample !== undefined) {
    bad('--fault and --sample exclude each other', 'Give one of them.');
  }
  if (options.json && !options.list && !options.dryRun) {
    bad('--json belongs to --list or --dry-run', 'The report of a run is runs/latest/report.json.');
  }
}

function unique(values: string[] | undefined): string[] {
  return [...new Set(values)];
}

function parseImages(pairs: string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, name, ref] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
      if (name === undefined || ref === undefined) {
        throw new UsageError('E_OPTION', `--image "${pair}" is not of the form NAME=REF`, {
          hint: 'For example --image toolman=ghcr.io/me/toolman:dev',
        });
      }
      return [name, ref];
    }),
  );
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('a whole number from 1 on is needed.');
  return Number(text);
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
