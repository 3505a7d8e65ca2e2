/** The options of `npm run gate`, and the run of `npm run e2e` that they stand for. */
import { Command, InvalidArgumentError } from 'commander';
import { parseArguments } from '../parse-arguments.ts';

/** Faults that are put in when `--prove-sample` is not given: enough to notice a harness that has gone blind. */
const DEFAULT_SAMPLE = 8;

export interface GateOptions {
  suite: string;
  chart: string | undefined;
  values: string[];
  set: string[];
  images: string[];
  kubernetes: string | undefined;
  out: string | undefined;
  /** Faults to prove after the checks; 0 with `--no-prove`. */
  proveSample: number;
  verbose: boolean;
}

const EXAMPLES = `
Examples:
  npm run gate -- --suite toolman --chart ./toolman-1.4.0.tgz --values production.yaml --image toolman=me/toolman:1.4.0
  npm run gate -- --suite toolman --chart ../chart --out evidence/1.4.0
  npm run gate -- --suite toolman --no-prove              the checks alone, without the sample of faults

The verdict is "release", "do not release: why" or "no verdict: why". The run directory, evidence.json included, is what to keep.
Do not put secrets into --set: it is part of the evidence. Of a values file only the digest is.
Exit codes: 0 release, 1 do not release, 2 wrong usage, 3 no verdict (the infrastructure failed), 130 interrupted.`;

/**
 * Parses the command line.
 *
 * @returns undefined when only help was asked for; it has been written to `out`
 * @throws UsageError `E_OPTION`
 */
export function parseGateOptions(
  argv: readonly string[],
  out: (text: string) => void,
): GateOptions | undefined {
  const command = new Command('gate')
    .description('Says whether a chart and its images may be released, and leaves the evidence.')
    .requiredOption('--suite <name>', 'the suite that the chart has to pass')
    .option('--chart <path>', 'folder or package (.tgz) of the chart; default: the reference chart')
    .option('--values <file...>', 'values files, instead of the reference values')
    .option('--set <key=value...>', 'single values, over all files')
    .option('--image <name=ref...>', 'image to release, e.g. toolman=ghcr.io/me/toolman:1.4.0')
    .option('--kubernetes <version>', 'Kubernetes version of the node image, e.g. 1.36')
    .option('--out <dir>', 'run directory; default runs/<id>')
    .option('--prove-sample <count>', 'faults that have to be caught', positiveInteger, DEFAULT_SAMPLE)
    .option('--no-prove', 'put no faults in')
    .option('--verbose', 'also show what each passing check saw', false)
    .addHelpText('after', EXAMPLES);
  if (!parseArguments(command, argv, out)) return undefined;
  const raw = command.opts<{
    suite: string;
    chart?: string;
    values?: string[];
    set?: string[];
    image?: string[];
    kubernetes?: string;
    out?: string;
    proveSample: number;
    prove: boolean;
    verbose: boolean;
  }>();
  return {
    suite: raw.suite,
    chart: raw.chart,
    values: raw.values ?? [],
    set: raw.set ?? [],
    images: raw.image ?? [],
    kubernetes: raw.kubernetes,
    out: raw.out,
    proveSample: raw.prove ? raw.proveSample : 0,
    verbose: raw.verbose,
  };
}

/** The arguments of `npm run e2e` for this gate: strict, and on a cluster that is made for it and removed again. */
export function e2eArguments(options: GateOptions): string[] {
  return [
    '--suite',
    options.suite,
    '--strict',
    ...repeated('--chart', options.chart),
    ...repeated('--values', ...options.values),
    ...repeated('--set', ...options.set),
    ...repeated('--image', ...options.images),
    ...repeated('--kubernetes', options.kubernetes),
    ...repeated('--out', options.out),
    ...(options.proveSample > 0 ? ['--prove', '--checks', '--sample', String(options.proveSample)] : []),
    ...(options.verbose ? ['--verbose'] : []),
  ];
}

/** `--name=value` for each value, so that a value that starts with a dash stays a value. */
function repeated(name: string, ...values: (string | undefined)[]): string[] {
  return values.flatMap((value) => (value === undefined ? [] : [`${name}=${value}`]));
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('a whole number from 1 on is needed.');
  return Number(text);
}
