/**
 * What a document may do with kubectl and helm: read, and change the documented namespace, with files of the chart. A list of what is
 * allowed, so that an option, a subcommand or a plugin that is not known here is refused. Pure.
 */
import { NotAllowed } from './command-not-run.ts';
import { DOCUMENTED_NAMESPACE } from './documented-namespace.ts';
import { readArguments, type ReadArguments } from './option-reader.ts';

export type AllowedProgram = 'kubectl' | 'helm';

export interface AllowedCall {
  /** Files that it reads: they have to be files of the chart's folder. */
  files: string[];
  /** The chart that it reads, a path likewise. */
  chart: string | undefined;
  /** Whether the program in the container reads what is typed at the terminal. */
  interactive: boolean;
  /** Whether it reads a file from its input, so that a pipe or a here-document has to provide it. */
  needsInput: boolean;
}

/** Where helm records a release when the commands name no namespace. */
export const DEFAULT_NAMESPACE = 'default';

interface Subcommand {
  options: readonly string[];
  /** Whether it changes the cluster; default false. */
  changes?: boolean | ((read: ReadArguments) => boolean);
  /** Throws NotAllowed with the reason when these arguments are not allowed. */
  allows?: (read: ReadArguments) => void;
  /** The position of the chart, from the end. */
  chart?: -1;
}

const SELECTION = ['l|selector=', 'field-selector=', 'A|all-namespaces', 'o|output=', 'no-headers'];
const FILE_ONLY = 'objects are created from a file of the chart or from a here-document only';
const DOCUMENTED_ONLY = `only namespace ${DOCUMENTED_NAMESPACE} is removed when the check ends`;

const KUBECTL: Readonly<Record<string, Subcommand>> = {
  get: { options: [...SELECTION, 'show-labels', 'L|label-columns=', 'sort-by=', 'ignore-not-found'] },
  describe: { options: [...SELECTION, 'show-events'] },
  logs: {
    options: [
      'l|selector=',
      'c|container=',
      'tail=',
      'since=',
      'p|previous',
      'all-containers',
      'all-pods',
      'timestamps',
      'prefix',
    ],
  },
  events: { options: ['for=', 'types=', 'A|all-namespaces', 'o|output=', 'no-headers'] },
  top: { options: [...SELECTION, 'containers', 'sort-by='] },
  wait: { options: [...SELECTION, 'for=', 'timeout=', 'all'] },
  version: { options: ['client', 'o|output='] },
  'cluster-info': { options: [], allows: (read) => withoutWords(read, 'cluster-info') },
  rollout: {
    options: ['l|selector=', 'timeout=', 'revision=', 'to-revision='],
    changes: ({ positional: [verb = ''] }) => verb !== 'status' && verb !== 'history',
    allows: ({ positional: [verb = ''] }) => {
      if (!['status', 'history', 'restart', 'undo'].includes(verb))
        throw notAllowed('kubectl', `rollout ${verb}`);
    },
  },
  exec: {
    options: ['c|container=', 'i|stdin', 't|tty', 'q|quiet'],
    changes: true,
    allows: ({ hasCommand }) => {
      if (!hasCommand) throw new NotAllowed('the command of kubectl exec has to follow "--"');
    },
  },
  apply: {
    options: ['f|filename=', 'server-side', 'dry-run', 'o|output='],
    changes: true,
    allows: (read) => withoutWords(read, FILE_ONLY),
  },
  create: {
    options: ['f|filename=', 'dry-run', 'o|output='],
    changes: (read) => read.options.has('filename'),
    allows: ({ positional: [kind = '', ...names], options }) => {
      if (options.has('filename')) return;
      if (!isNamespace(kind)) throw new NotAllowed(FILE_ONLY);
      if (names.join() !== DOCUMENTED_NAMESPACE) throw new NotAllowed(DOCUMENTED_ONLY);
    },
  },
  delete: {
    options: [
      'f|filename=',
      'l|selector=',
      'all',
      'ignore-not-found',
      'wait',
      'now',
      'force',
      'timeout=',
      'grace-period=',
      'o|output=',
    ],
    changes: ({ positional: [kind = ''] }) => !isNamespace(kind.split('/')[0] ?? ''),
    allows: onlyNamespacedKinds,
  },
  scale: { options: ['l|selector=', 'replicas=', 'timeout='], changes: true, allows: onlyNamespacedKinds },
};

const VALUES = ['set=', 'set-string=', 'set-json=', 'set-literal=', 'f|values='];
const INSTALL = [
  ...VALUES,
  'create-namespace',
  'wait',
  'wait-for-jobs',
  'timeout=',
  'atomic',
  'rollback-on-failure',
  'dry-run',
  'description=',
  'no-hooks',
  'skip-crds',
  'debug',
  'o|output=',
];
const ANY_RELEASE = ['o|output=', 'revision=', 'max=', 'a|all'];

const HELM: Readonly<Record<string, Subcommand>> = {
  install: { options: [...INSTALL, 'g|generate-name', 'replace'], changes: true, chart: -1 },
  upgrade: {
    options: [...INSTALL, 'i|install', 'reset-values', 'reuse-values', 'force', 'cleanup-on-fail'],
    changes: true,
    chart: -1,
  },
  uninstall: {
    options: ['wait', 'timeout=', 'ignore-not-found', 'keep-history', 'no-hooks', 'dry-run'],
    changes: true,
  },
  rollback: { options: ['wait', 'timeout=', 'dry-run'], changes: true },
  test: { options: ['logs', 'timeout=', 'filter='], changes: true },
  list: { options: ['A|all-namespaces', 'a|all', 'q|short', 'f|filter=', 'o|output='] },
  status: { options: ANY_RELEASE },
  get: { options: ANY_RELEASE },
  history: { options: ANY_RELEASE },
  version: { options: ['short'] },
  lint: { options: [...VALUES, 'strict'], chart: -1 },
  show: { options: [], chart: -1 },
  template: { options: [...VALUES, 's|show-only=', 'include-crds', 'no-hooks', 'skip-tests'], chart: -1 },
};

const SUBCOMMANDS = { kubectl: KUBECTL, helm: HELM };
const SYNONYMS: Readonly<Record<string, string>> = {
  ls: 'list',
  del: 'uninstall',
  un: 'uninstall',
  hist: 'history',
};

/** Why well-known subcommands are not allowed. */
const REFUSED: Readonly<Record<string, string>> = {
  'kubectl config': 'it would change which cluster is used',
  'kubectl cp': 'it would copy files of this machine',
  'kubectl proxy': 'it would open a port of this machine, and does not end by itself',
  'kubectl port-forward': 'it would open a port of this machine, and does not end by itself',
  'kubectl plugin': 'it would look for programs on this machine',
  'kubectl edit': 'it would start an editor',
  'kubectl diff': 'it would start another program',
  'kubectl kustomize': 'it may fetch what it renders from elsewhere',
  'helm repo': 'it would reach a chart repository',
  'helm registry': 'it would reach a chart repository',
  'helm pull': 'it would reach a chart repository',
  'helm push': 'it would reach a chart repository',
  'helm search': 'it would reach a chart repository',
  'helm dependency': 'it would reach a chart repository',
  'helm plugin': 'it would install programs on this machine',
};

/**
 * The call, when a document may make it.
 *
 * @param foreign releases in `default` that are not of this check
 * @throws NotAllowed with the reason
 */
export function allowedCall(
  program: AllowedProgram,
  args: readonly string[],
  foreign: ReadonlySet<string> = new Set(),
): AllowedCall {
  const { name, rest } = subcommandOf(program, args);
  const subcommand = SUBCOMMANDS[program][name];
  if (!subcommand) throw notAllowed(program, name);
  const read = readArguments(rest, ['n|namespace=', ...subcommand.options]);
  const { positional, options, hasCommand } = read;
  if (hasCommand && name !== 'exec') throw new NotAllowed(`"--" after ${program} ${name} is not understood`);
  subcommand.allows?.(read);
  const { changes = false } = subcommand;
  if (typeof changes === 'boolean' ? changes : changes(read)) changesAllowed(program, read, foreign);
  for (const format of options.get('output') ?? []) outputAllowed(format);
  const files = [...(options.get('filename') ?? []), ...(options.get('values') ?? [])];
  return {
    files: files.filter((file) => file !== '-'),
    chart: subcommand.chart === undefined ? undefined : positional.at(subcommand.chart),
    interactive: options.has('stdin'),
    needsInput: files.includes('-'),
  };
}

/** The subcommand; before it only a namespace may be given, which is moved behind it. */
function subcommandOf(program: AllowedProgram, args: readonly string[]): { name: string; rest: string[] } {
  const at = args.findIndex(
    (arg, i) => !arg.startsWith('-') && !['-n', '--namespace'].includes(args[i - 1] ?? ''),
  );
  const before = at < 0 ? [...args] : args.slice(0, at);
  readArguments(before, ['n|namespace=']);
  const word = args[at];
  if (at < 0 || word === undefined) throw new NotAllowed(`${program} without a subcommand does nothing`);
  const name = program === 'helm' ? (SYNONYMS[word] ?? word) : word;
  return { name, rest: [...before, ...args.slice(at + 1)] };
}

function notAllowed(program: AllowedProgram, name: string): NotAllowed {
  const why =
    REFUSED[`${program} ${name}`] ??
    'it is not among the subcommands that a document may use here, and may be a plugin';
  return new NotAllowed(`of ${program} ${name}: ${why}`);
}

function changesAllowed(program: AllowedProgram, read: ReadArguments, foreign: ReadonlySet<string>): void {
  const given = read.options.get('namespace') ?? [DEFAULT_NAMESPACE];
  // Releases in `default` are removed as well, but not what kubectl leaves there.
  const allowed = program === 'helm' ? [DOCUMENTED_NAMESPACE, DEFAULT_NAMESPACE] : [DOCUMENTED_NAMESPACE];
  const other = given.find((namespace) => !allowed.includes(namespace));
  if (other !== undefined)
    throw new NotAllowed(`it would change namespace "${other}", and ${DOCUMENTED_ONLY}`);
  const taken = read.positional.find((name) => program === 'helm' && foreign.has(name));
  if (taken !== undefined && given.includes(DEFAULT_NAMESPACE)) {
    throw new NotAllowed(`release ${taken} in ${DEFAULT_NAMESPACE} is not of this run`);
  }
}

/** Other formats read a template from a file. */
function outputAllowed(format: string): void {
  if (/^(wide|name|json|yaml|table|short|(jsonpath|custom-columns|go-template)=[^]*)$/.test(format)) return;
  throw new NotAllowed(`output format "${format}" is not among those that a document may use here`);
}

function withoutWords({ positional }: ReadArguments, why: string): void {
  if (positional.length > 0) throw new NotAllowed(why);
}

function isNamespace(kind: string): boolean {
  return /^(ns|namespaces?)$/.test(kind);
}

const NAMESPACED =
  /^(all|po|pods?|ds|daemonsets?|deploy|deployments?|rs|replicasets?|sts|statefulsets?|jobs?|svc|services?|cm|configmaps?|secrets?|sa|serviceaccounts?)$/;

/** Objects outside of any namespace are the cluster's, except for the documented namespace itself. */
function onlyNamespacedKinds({ positional, options }: ReadArguments): void {
  const [first = ''] = positional;
  const pairs = first.includes('/') ? positional.map((word) => word.split('/')) : undefined;
  const kinds = pairs?.map(([kind = '']) => kind) ?? first.split(',').filter((kind) => kind !== '');
  const names = pairs?.map(([, name = '']) => name) ?? positional.slice(1);
  if (kinds.length > 0 && kinds.every(isNamespace)) {
    const only = names.length > 0 && names.every((name) => name === DOCUMENTED_NAMESPACE);
    if (only && !options.has('all') && !options.has('selector')) return;
    throw new NotAllowed(DOCUMENTED_ONLY);
  }
  const other = kinds.find((kind) => !NAMESPACED.test(kind));
  if (other !== undefined)
    throw new NotAllowed(`"${other}" is not among the kinds that a document may delete or scale here`);
}
