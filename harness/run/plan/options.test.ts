import { describe, expect, it } from 'vitest';
import { UsageError } from '../../core/errors.ts';
import { parseOptions, type RunOptions } from './options.ts';

function parse(line: string): RunOptions {
  const options = parseOptions(words(line), () => {});
  expect(options).toBeDefined();
  return options!;
}

/** The words of a line; a part in double quotes is one word. */
const words = (line: string) => (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));

describe('parseOptions', () => {
  it('has a default for every option', () => {
    expect(parse('')).toEqual({
      suites: [],
      all: false,
      requirements: [],
      tags: undefined,
      chart: undefined,
      values: [],
      set: [],
      prerequisites: [],
      previousValues: [],
      images: {},
      cluster: 'kind',
      kubeconfig: undefined,
      context: undefined,
      kubernetes: undefined,
      keep: false,
      reuse: false,
      provide: true,
      prove: false,
      faults: [],
      checks: false,
      sample: undefined,
      shard: undefined,
      strict: false,
      strictAdvice: false,
      out: undefined,
      keepRuns: 20,
      dryRun: false,
      list: false,
      json: false,
      verbose: false,
    });
  });

  it.each([
    ['--suite a b a', { suites: ['a', 'b'] }],
    ['--suite a,b', { suites: ['a', 'b'] }],
    ['--requirement T-1,T-2 T-1', { requirements: ['T-1', 'T-2'] }],
    ['--values a.yaml b.yaml --values a.yaml', { values: ['a.yaml', 'b.yaml', 'a.yaml'] }],
    ['--set a=1 b=x=y', { set: ['a=1', 'b=x=y'] }],
    ['--prerequisites a.yaml b.yaml --chart c', { prerequisites: ['a.yaml', 'b.yaml'], chart: 'c' }],
    ['--image app=host:5000/a/b:1@sha256:x', { images: { app: 'host:5000/a/b:1@sha256:x' } }],
    ['--tags "live and not disruptive"', { tags: 'live and not disruptive' }],
    ['--cluster existing --kubeconfig f --context c', { cluster: 'existing', kubeconfig: 'f', context: 'c' }],
    ['--kubernetes 1.36.3', { kubernetes: 'v1.36.3' }],
    ['--kubernetes v1.35', { kubernetes: 'v1.35' }],
    ['--prove --fault x y', { prove: true, faults: ['x', 'y'] }],
    ['--prove --checks --sample 8', { prove: true, checks: true, sample: 8 }],
    ['--shard 2/3', { shard: { index: 2, count: 3 } }],
    ['--timeout 5400s', { timeout: 5_400_000 }],
    ['--timeout 90m', { timeout: 5_400_000 }],
    ['--timeout 2h', { timeout: 7_200_000 }],
    ['--dry-run --json', { dryRun: true, json: true }],
    ['--keep-runs 0', { keepRuns: 0 }],
    ['--chart c', { provide: true }],
    ['--chart c --no-provide', { provide: false }],
    ['--list --json', { list: true, json: true }],
    [
      '--keep --reuse --strict --verbose --out d',
      { keep: true, reuse: true, strict: true, verbose: true, out: 'd' },
    ],
  ])('parses %s', (line, expected) => {
    expect(parse(line)).toMatchObject(expected);
  });

  it.each([
    ['--timeout 90', /--timeout.*90.*for example 90m/],
    ['--timeout 0m', /--timeout.*for example 90m/],
    ['--timeout 1.5h', /--timeout.*for example 90m/],
    // A longer timer would fire at once.
    ['--timeout 600h', /--timeout.*at most 500h/],
    ['--suit toolman', /--suit.*Did you mean --suite\?/s],
    ['--frobnicate', /--frobnicate/],
    ['toolman', /too many arguments/],
    ['--suite', /--suite .*argument missing/],
    ['--cluster minikube', /--cluster.*minikube.*kind, existing/],
    ['--cluster existing', /--cluster existing needs --kubeconfig FILE and --context NAME/],
    ['--cluster existing --kubeconfig f', /needs --kubeconfig FILE and --context NAME/],
    ['--cluster existing --context c', /needs --kubeconfig FILE and --context NAME/],
    ['--kubeconfig f', /belong to --cluster existing/],
    ['--context c', /belong to --cluster existing/],
    ['--cluster existing --kubeconfig f --context c --keep', /--keep and --reuse belong to --cluster kind/],
    ['--cluster existing --kubeconfig f --context c --reuse', /--keep and --reuse belong to --cluster kind/],
    [
      '--cluster existing --kubeconfig f --context c --kubernetes 1.36',
      /--kubernetes belongs to --cluster kind/,
    ],
    ['--cluster existing --kubeconfig f --context c --no-provide', /--no-provide belongs to --cluster kind/],
    ['--kubernetes latest', /--kubernetes.*latest.*a version is needed/],
    ['--previous p', /--previous belongs to --chart/],
    ['--chart c --previous p --previous-version 1', /--previous-version belongs to a chart in a registry/],
    ['--chart c --previous-values v', /--previous-values belongs to --previous/],
    ['--platform p --chart c', /--platform excludes --chart and --reference/],
    ['--platform p --reference r', /--platform excludes --chart and --reference/],
    ['--platform p --set a=1', /--values and --set belong to a chart/],
    ['--platform p --prove', /--platform and --prove exclude each other/],
    ['--all --suite a', /--all and --suite exclude each other/],
    ['--fault x', /--fault, --sample and --checks belong to --prove/],
    ['--sample 3', /belong to --prove/],
    ['--checks', /belong to --prove/],
    ['--prove --checks --tags live', /--tags and --shard choose checks; --prove injects faults/],
    ['--prove --shard 1/2', /--tags and --shard choose checks; --prove injects faults/],
    ['--prove --sample 3 --fault x', /--fault and --sample exclude each other/],
    ['--prove --sample 0', /--sample.*'0'.*a whole number from 1 on/],
    ['--prove --sample many', /--sample.*many/],
    ['--shard 0/3', /--shard.*0\/3.*1 <= I <= N/],
    ['--shard 4/3', /--shard.*4\/3/],
    ['--shard 2', /--shard.*2/],
    ['--image toolman', /--image "toolman" is not of the form NAME=REF/],
    ['--image =ref', /--image "=ref"/],
    ['--image toolman=', /--image "toolman="/],
    ['--chart-version 1.4.0', /--chart-version belongs to a chart in a registry/],
    ['--chart ./mine --chart-version 1.4.0', /--chart-version belongs to a chart in a registry/],
    ['--reference store --chart ./mine', /--reference and --chart exclude each other/],
    ['--json', /--json belongs to --list or --dry-run/],
  ])('rejects %s', (line, message) => {
    const parsing = (): unknown => parseOptions(words(line), () => {});
    expect(parsing).toThrow(UsageError);
    expect(parsing).toThrow(message);
    expect(parsing).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/\S/) as string }) as Error,
    );
  });

  it('prints help with examples and exit codes, and returns undefined', () => {
    let text = '';
    expect(parseOptions(['--help'], (part) => (text += part))).toBeUndefined();
    expect(text).toContain('--suite <name...>');
    expect(text).toContain('npm run e2e -- --suite toolman --reuse');
    expect(text).toContain('2 wrong usage');
  });

  it('accepts every example in its help', () => {
    let text = '';
    parseOptions(['--help'], (part) => (text += part));
    const examples = text.match(/(?<=npm run (?:-s )?e2e -- ).*?(?=\s{3,}|$)/gm) ?? [];
    expect(examples.length).toBeGreaterThan(5);
    for (const example of examples) expect(() => parse(example)).not.toThrow();
  });
});
