/** The options of `npm run gate`, and the equivalent arguments of `npm run e2e`. */
import { Command } from '@commander-js/extra-typings';
import {
  duration,
  parseArguments,
  positiveInteger,
  type OptionsOf,
} from '../../harness/run/plan/parse-arguments.ts';

/** Faults to inject without `--prove-sample`: enough to detect checks that no longer detect anything. */
const DEFAULT_SAMPLE = 8;

const EXAMPLES = `
Examples:
  npm run gate -- --suite toolman --chart ./toolman-1.4.0.tgz --values production.yaml --image toolman=me/toolman:1.4.0
  npm run gate -- --suite toolman --chart ../chart --out evidence/1.4.0
  npm run gate -- --suite toolman --no-prove              only the checks, without the sample of faults

The decision is "release", "do not release: why" or "no verdict: why". Archive the run directory, which contains evidence.json.
Defects cannot be injected into a platform of your own: --platform implies --no-prove.
Faults that only a stand-in can show are not injected into your own images. The evidence lists them as not provable.
The evidence contains --set, with the values of keys such as db.password masked. Of a values file it contains only the digest, so put
secrets under other keys into a values file.
Exit codes: 0 release, 1 do not release, 2 wrong usage, 3 no verdict (the infrastructure failed), 130 interrupted.`;

function gateCommand() {
  return new Command('gate')
    .description('Decides whether a chart and its images may be released, and writes the evidence.')
    .requiredOption('--suite <name>', 'the suite that the chart has to pass')
    .option(
      '--chart <path>',
      'folder, package (.tgz) or oci:// reference of the chart (default: the reference chart)',
    )
    .option(
      '--platform <file>',
      'release a platform in place of a chart: the description of its commands (YAML)',
    )
    .option('--chart-version <version>', 'version of a chart given as oci://… (default: the newest)')
    .option(
      '--previous <path>',
      'the version of the chart before, to upgrade from and to go back to: a folder, a package (.tgz) or oci://…',
    )
    .option('--previous-version <version>', 'version of --previous given as oci://… (default: the newest)')
    .option(
      '--previous-values <file...>',
      'values files for --previous (default: --values, --set and --image of the chart)',
    )
    .option('--values <file...>', 'values files to use instead of the reference values')
    .option('--set <key=value...>', 'single values; override all values files')
    .option('--prerequisites <file...>', 'manifests that the chart expects to find in its namespace')
    .option('--image <name=ref...>', 'image to release, e.g. toolman=ghcr.io/me/toolman:1.4.0')
    .option('--kubernetes <version>', 'Kubernetes version of the node image, e.g. 1.36')
    .option('--out <dir>', 'run directory (default: runs/<id>)')
    .option('--timeout <duration>', 'give no verdict after this time, e.g. 90m (default: no limit)', duration)
    .option(
      '--prove-sample <count>',
      'number of faults that have to be caught',
      positiveInteger,
      DEFAULT_SAMPLE,
    )
    .option('--strict-advice', 'count a warning as a failure', false)
    .option('--no-prove', 'inject no faults')
    .option('--allow-dirty', 'decide although the code of kindproof has uncommitted changes', false)
    .option('--verbose', 'also show what each passing check observed', false)
    .addHelpText('after', EXAMPLES);
}

export type GateOptions = OptionsOf<ReturnType<typeof gateCommand>>;

/**
 * Parses the command line.
 *
 * @returns undefined for `--help`, whose text is written to `out`
 * @throws UsageError `E_OPTION`
 */
export function parseGateOptions(
  argv: readonly string[],
  out: (text: string) => void,
): GateOptions | undefined {
  return parseArguments(gateCommand(), argv, out);
}

/** The arguments of `npm run e2e` for this gate: strict, on a new cluster that is deleted afterwards. */
export function e2eArguments(options: GateOptions): string[] {
  return [
    '--suite',
    options.suite,
    '--strict',
    ...(options.strictAdvice ? ['--strict-advice'] : []),
    ...repeated('--chart', options.chart),
    ...repeated('--platform', options.platform),
    ...repeated('--chart-version', options.chartVersion),
    ...repeated('--previous', options.previous),
    ...repeated('--previous-version', options.previousVersion),
    ...repeated('--previous-values', ...(options.previousValues ?? [])),
    ...repeated('--values', ...(options.values ?? [])),
    ...repeated('--set', ...(options.set ?? [])),
    ...repeated('--prerequisites', ...(options.prerequisites ?? [])),
    ...repeated('--image', ...(options.image ?? [])),
    ...repeated('--kubernetes', options.kubernetes),
    ...repeated('--out', options.out),
    ...repeated('--timeout', options.timeout === undefined ? undefined : `${options.timeout / 1000}s`),
    ...(provesFaults(options) ? ['--prove', '--checks', '--sample', String(options.proveSample)] : []),
    ...(options.verbose ? ['--verbose'] : []),
  ];
}

/** No defect can be injected into a platform of the user. */
export function provesFaults({ prove, platform }: GateOptions): boolean {
  return prove && platform === undefined;
}

/** `--name=value` for each value, so that a value may start with a dash. */
function repeated(name: string, ...values: (string | undefined)[]): string[] {
  return values.flatMap((value) => (value === undefined ? [] : [`${name}=${value}`]));
}
