/** Reads the arguments of kubectl and helm by their rules (pflag), with the options that a document may use and no others. Pure. */
import { NotAllowed } from './command-not-run.ts';

export interface ReadArguments {
  positional: string[];
  /** The values of each option by its long name; `true` for a switch. */
  options: ReadonlyMap<string, readonly string[]>;
  /** Whether `--` and the command of a container follow. */
  hasCommand: boolean;
}

/** `namespace` for `--namespace`, and `n` for `-n`: whether the option takes a value, and its long name. */
type Known = ReadonlyMap<string, { long: string; takesValue: boolean }>;

const ELSEWHERE = 'it would reach another cluster, or this one as somebody else';
const HOST_FILES = 'it would read files of this machine';
const ENDLESS = 'it does not end by itself';
const REPOSITORY = 'it would reach a chart repository';

/** Why well-known options are not allowed. */
const REFUSED: Readonly<Record<string, string>> = {
  kubeconfig: ELSEWHERE,
  context: ELSEWHERE,
  'kube-context': ELSEWHERE,
  cluster: ELSEWHERE,
  user: ELSEWHERE,
  server: ELSEWHERE,
  s: ELSEWHERE,
  token: ELSEWHERE,
  as: ELSEWHERE,
  'kube-apiserver': ELSEWHERE,
  'kube-token': ELSEWHERE,
  'kube-as-user': ELSEWHERE,
  'post-renderer': 'it would run a program of this machine',
  'output-dir': 'it would write files on this machine',
  'cache-dir': 'it would write files on this machine',
  'from-file': HOST_FILES,
  'from-env-file': HOST_FILES,
  'set-file': HOST_FILES,
  kustomize: HOST_FILES,
  k: HOST_FILES,
  repo: REPOSITORY,
  'dependency-update': REPOSITORY,
  watch: ENDLESS,
  w: ENDLESS,
  follow: ENDLESS,
};

/**
 * Reads arguments; those after `--` are for a program in a container, and are not looked at.
 *
 * @param specs `n|namespace=` takes a value, `A|all-namespaces` is a switch
 * @throws NotAllowed with the reason for any other option, and for one that lacks its value
 */
export function readArguments(args: readonly string[], specs: readonly string[]): ReadArguments {
  const known = knownOptions(specs);
  const positional: string[] = [];
  const options = new Map<string, string[]>();
  const add = (long: string, value: string): void => {
    options.set(long, [...(options.get(long) ?? []), value]);
  };
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--') return { positional, options, hasCommand: true };
    if (arg === '-' || !arg.startsWith('-')) {
      positional.push(arg);
      continue;
    }
    const [letters, name, given] = named(arg);
    for (const letter of letters) add(optionNamed(known, letter).long, 'true');
    const { long, takesValue } = optionNamed(known, name);
    if (!takesValue) {
      if (given !== undefined && !/^=[A-Za-z]+$/.test(given))
        throw new NotAllowed(`"${arg}" is not understood`);
      add(long, given?.slice(1) ?? 'true');
    } else if (given === undefined) {
      at += 1;
      const value = args[at];
      if (value === undefined) throw new NotAllowed(`${arg} lacks its value`);
      add(long, value);
    } else add(long, given.replace(/^=/, ''));
  }
  return { positional, options, hasCommand: false };

  /** The switches before the last option of an argument, that option, and the rest of the argument. */
  function named(arg: string): [string[], string, string | undefined] {
    const [, long, value] = /^--([^=]*)(=[^]*)?$/.exec(arg) ?? [];
    if (long !== undefined) {
      if (long.length < 2) throw new NotAllowed(`"${arg}" is not understood`);
      return [[], long, value];
    }
    const letters = Array.from(arg.slice(1));
    const last = letters.findIndex((letter) => known.get(letter)?.takesValue !== false);
    const at = last < 0 ? letters.length - 1 : last;
    const rest = letters.slice(at + 1).join('');
    return [letters.slice(0, at), letters[at] ?? '', rest === '' ? undefined : rest];
  }
}

function optionNamed(known: Known, name: string): { long: string; takesValue: boolean } {
  const found = known.get(name);
  if (found) return found;
  const dashed = name.length === 1 ? `-${name}` : `--${name}`;
  const why = REFUSED[name] ?? 'it is not among the options that a document may use here';
  throw new NotAllowed(`of ${dashed}: ${why}`);
}

function knownOptions(specs: readonly string[]): Known {
  return new Map(
    specs.flatMap((spec) => {
      const names = spec.replace('=', '').split('|');
      const what = { long: names.at(-1) ?? '', takesValue: spec.endsWith('=') };
      return names.map((name) => [name, what] as const);
    }),
  );
}
