import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCommandRunner } from '../../../harness/core/command.ts';
import { temporaryFolder } from '../../../harness/testing/temporary-folder.ts';
import { CommandNotRun } from './command-not-run.ts';
import { commandReview, CommandSession, type CommandOutput, type StartProgram } from './command-session.ts';

/** A chart's folder, next to a file that is not of the chart. */
async function chartFolder(): Promise<string> {
  const outside = await temporaryFolder();
  const folder = join(outside, 'chart');
  for (const path of ['', 'charts', 'https:/example.org', 'a.yaml,'])
    await mkdir(join(folder, path), { recursive: true });
  for (const file of ['values.yaml', 'pod.yaml', 'https:/example.org/x.yaml', 'a.yaml,/x.yaml']) {
    await writeFile(join(folder, file), 'a: b\n');
  }
  await writeFile(join(outside, 'secret.yaml'), 'password: hunter22\n');
  await symlink(join(outside, 'secret.yaml'), join(folder, 'link.yaml'));
  return folder;
}

interface Started {
  argv: string[];
  input: string | undefined;
}

/** Records instead of starting: the pods of `kubectl get` have two names, `kubectl logs` fails. */
function recordingSession(folder: string, options: { foreign?: ReadonlySet<string> } = {}) {
  const started: Started[] = [];
  const start: StartProgram = (program, args, { input }) => {
    started.push({ argv: [program, ...args], input });
    const fails = args[0] === 'logs';
    return Promise.resolve({
      exitCode: fails ? 3 : 0,
      stdout: fails ? '' : 'pod/a Running\npod/b Pending\n',
      stderr: fails ? 'no logs\n' : '',
    });
  };
  return { started, session: new CommandSession({ folder, terminal: 'typed\n', start, ...options }) };
}

async function run(text: string): Promise<{ started: Started[]; argv: string[][]; output: CommandOutput }> {
  const folder = await chartFolder();
  const { started, session } = recordingSession(folder);
  await commandReview(folder)(text);
  const output = await session.run(text);
  return { started, argv: started.map(({ argv }) => argv), output };
}

/** The reason why nothing of the text was started, when it is first reviewed and then run. */
async function refusal(text: string): Promise<string> {
  const folder = await chartFolder();
  const { started, session } = recordingSession(folder, { foreign: new Set(['theirs']) });
  const error: unknown = await commandReview(folder)(text)
    .then(() => session.run(text))
    .catch((thrown: unknown) => thrown);
  expect(started, `started by ${JSON.stringify(text)}`).toEqual([]);
  expect(error, `refusal of ${JSON.stringify(text)}`).toBeInstanceOf(CommandNotRun);
  return (error as CommandNotRun).message;
}

const DOCUMENTED: [string, string[][]][] = [
  ['kubectl get pods -n gpu-diagnostics', [['kubectl', 'get', 'pods', '-n', 'gpu-diagnostics']]],
  [
    '$ kubectl get pods\n$ helm list',
    [
      ['kubectl', 'get', 'pods'],
      ['helm', 'list'],
    ],
  ],
  ['# why; not `run` > a\nkubectl version # that\n\n', [['kubectl', 'version']]],
  [
    'helm install a . \\\n  --namespace gpu-diagnostics \\\n  --wait',
    [['helm', 'install', 'a', '.', '--namespace', 'gpu-diagnostics', '--wait']],
  ],
  [
    "kubectl get pods -o jsonpath='{.items[0].metadata.name}'",
    [['kubectl', 'get', 'pods', '-o', 'jsonpath={.items[0].metadata.name}']],
  ],
  [
    'kubectl get pods -o "jsonpath={.items[\\"a\\"]}" a\\ b',
    [['kubectl', 'get', 'pods', '-o', 'jsonpath={.items["a"]}', 'a b']],
  ],
  [
    'NS=gpu-diagnostics\nkubectl get pods -n "$NS" -l a=${NS}',
    [['kubectl', 'get', 'pods', '-n', 'gpu-diagnostics', '-l', 'a=gpu-diagnostics']],
  ],
  [
    'export POD=$(kubectl get pods -o name)\nkubectl describe "$POD"',
    [
      ['kubectl', 'get', 'pods', '-o', 'name'],
      ['kubectl', 'describe', 'pod/a Running\npod/b Pending'],
    ],
  ],
  [
    'kubectl describe $(kubectl get pods) x',
    [
      ['kubectl', 'get', 'pods'],
      ['kubectl', 'describe', 'pod/a', 'Running', 'pod/b', 'Pending', 'x'],
    ],
  ],
  ['NONE=\nkubectl get pods $NONE "$NONE"', [['kubectl', 'get', 'pods', '']]],
  ['kubectl get pods | grep Pending | head -n 1', [['kubectl', 'get', 'pods']]],
  [
    'POD=$(kubectl get pods |\n  grep "^pod/b" | tail -1)\nkubectl describe "$POD"',
    [
      ['kubectl', 'get', 'pods'],
      ['kubectl', 'describe', 'pod/b Pending'],
    ],
  ],
  [
    'kubectl exec -it -n gpu-diagnostics a -- sh -c "a && b > /tmp/x; rm -rf /"',
    [['kubectl', 'exec', '-it', '-n', 'gpu-diagnostics', 'a', '--', 'sh', '-c', 'a && b > /tmp/x; rm -rf /']],
  ],
  [
    'kubectl -n gpu-diagnostics rollout status ds/a --timeout=2m',
    [['kubectl', '-n', 'gpu-diagnostics', 'rollout', 'status', 'ds/a', '--timeout=2m']],
  ],
  [
    'kubectl create namespace gpu-diagnostics\nkubectl delete ns/gpu-diagnostics',
    [
      ['kubectl', 'create', 'namespace', 'gpu-diagnostics'],
      ['kubectl', 'delete', 'ns/gpu-diagnostics'],
    ],
  ],
  [
    'kubectl delete pods -l a=b -ngpu-diagnostics',
    [['kubectl', 'delete', 'pods', '-l', 'a=b', '-ngpu-diagnostics']],
  ],
  [
    'helm upgrade -i a ./ -f values.yaml --set a.b=c -n=gpu-diagnostics',
    [['helm', 'upgrade', '-i', 'a', './', '-f', 'values.yaml', '--set', 'a.b=c', '-n=gpu-diagnostics']],
  ],
];

describe('a documented line', () => {
  it.each(DOCUMENTED)('%j starts exactly its programs', async (text, argv) => {
    expect((await run(text)).argv).toEqual(argv);
  });

  it.each([
    ['echo \'{"id": 1}\' | kubectl exec -i -n gpu-diagnostics a -- /agent', '{"id": 1}\n'],
    ["printf '%s\\n' '{\"id\": 1}' b | kubectl exec -i -n gpu-diagnostics a -- /agent", '{"id": 1}\nb\n'],
    ['kubectl exec -it -n gpu-diagnostics a -- /agent', 'typed\n'],
    ['kubectl exec -n gpu-diagnostics a -- /agent', undefined],
    ["kubectl apply -n gpu-diagnostics -f - <<'EOF' # that\na: $(b) `c`\nEOF\n", 'a: $(b) `c`\n'],
    ['A=b\ncat <<EOF | kubectl apply -n gpu-diagnostics -f -\na: $A "\\$x" !\nEOF', 'a: b "$x" !\n'],
  ])('%j gives its input', async (text, input) => {
    expect((await run(text)).started.at(-1)?.input).toBe(input);
  });

  it.each([
    ['kubectl get pods | grep -i PENDING', 'pod/b Pending\n'],
    ['kubectl get pods | grep -v pod.a', 'pod/b Pending\n'],
    ['kubectl get pods | grep -F pod/b | cat', 'pod/b Pending\n'],
    ["kubectl get pods | grep 'g$' | wc -l", '2\n'],
    ['kubectl get pods | head -1', 'pod/a Running\n'],
    ['kubectl get pods | tail -n1', 'pod/b Pending\n'],
    ['echo aGFsbG8= | base64 -d', 'hallo'],
    ['printf \'{"a": 1}\\n\'', '{"a": 1}\n'],
  ])('%j prints what the shell prints', async (text, stdout) => {
    expect((await run(text)).output).toMatchObject({ exitCode: 0, stdout });
  });

  it.each([
    ['alone', 'kubectl logs a\nkubectl get pods', 3],
    ['before a pipe', 'kubectl logs a | head -1\nkubectl get pods', 3],
    ['in $(…)', 'A=$(kubectl logs a)\nkubectl get pods', 3],
    ['in an argument', 'kubectl get pods "$(kubectl logs a)"', 3],
    ['by finding nothing', 'kubectl version | grep Nothing\nkubectl get pods', 1],
  ])('that fails %s ends the block', async (_where, text, exitCode) => {
    const { output, argv } = await run(text);
    expect(output.exitCode).toBe(exitCode);
    expect(argv).toHaveLength(1);
  });
});

/** Characters are written as escapes where a reader would not see them. */
const HOSTILE: [string, RegExp][] = [
  // The shell's own language.
  ['kubectl get pods & evil', /`kubectl get pods & evil` is not run: "&" starts/],
  ['kubectl get pods && rm -rf x', /"&" starts/],
  ['kubectl get pods || evil', /only pipes/],
  ['kubectl get pods |& evil', /only pipes/],
  ['kubectl get pods; evil', /";" joins/],
  ['kubectl get `evil`', /backticks/],
  ['kubectl get "`evil`"', /backticks/],
  ['kubectl get $(evil)', /"evil" is not among the programs/],
  ['kubectl get "$(evil)"', /"evil" is not among the programs/],
  ['A=$(evil)\nkubectl get "$A"', /"evil" is not among the programs/],
  ['kubectl get $(kubectl get a\nevil)', /one command or one pipe/],
  ['kubectl get $(kubectl get $(kubectl get $(kubectl get $(evil))))', /nested too deeply/],
  ['kubectl get pods > file', /no output is written to files/],
  ['kubectl get pods 2>&1', /no output is written to files/],
  ['kubectl get pods >(evil)', /no output is written to files/],
  ['kubectl get <(evil)', /a pipe or a here-document/],
  ['kubectl apply -f - < file', /a pipe or a here-document/],
  ["kubectl apply -f - <<< 'a: b'", /only <<NAME/],
  ['kubectl apply -n gpu-diagnostics -f - <<EOF\n$(evil)\nEOF', /"evil" is not among/],
  ['kubectl apply -n gpu-diagnostics -f - <<EOF\n`evil`\nEOF', /backticks/],
  ['kubectl apply -n gpu-diagnostics -f - <<EOF\na: b', /no line "EOF"/],
  ['kubectl apply -n gpu-diagnostics -f - <<EOF\na\\\nEOF\nevil\nEOF', /are not joined/],
  ['kubectl get pods\nevil', /`evil` is not run: "evil" is not among/],
  ['evil\nkubectl get pods', /"evil" is not among/],
  ['evil | kubectl apply -f -', /"evil" is not among/],
  ['kubectl get pods | evil', /"evil" is not among/],
  ['kubectl get pods | xargs rm', /"xargs" is not among/],
  ['kubectl get pods |', /a command is missing/],
  ['(kubectl get pods)', /parentheses/],
  ['kubectl() { evil; }', /parentheses/],
  ['{ kubectl get pods', /braces/],
  ['alias kubectl=evil', /"alias" is not among/],
  ['function kubectl', /"function" is not among/],
  ['eval kubectl get pods', /"eval" is not among/],
  ['exec kubectl get pods', /"exec" is not among/],
  ['. ./kubectl', /"\." is not among/],
  ['source kubectl', /"source" is not among/],
  ['sudo kubectl get pods', /"sudo" is not among/],
  ['env A=b kubectl get pods', /"env" is not among/],
  ['./kubectl get pods', /".\/kubectl" is not among/],
  ['K=evil\n$K get pods', /written out/],
  ['kubectl"$(evil)" get pods', /written out/],
  ['A=b kubectl get pods', /line of its own/],
  ['A=b evil', /line of its own/],
  ['export A=b C=d', /line of its own/],
  ['export PATH=/tmp/evil', /PATH would change/],
  ['PATH=.:$PATH kubectl get pods', /PATH would change/],
  ['export KUBECONFIG=/tmp/evil', /KUBECONFIG would change/],
  ['KUBECTL_EXTERNAL_DIFF=evil', /KUBECTL_EXTERNAL_DIFF would change/],
  ['HELM_PLUGINS=.', /HELM_PLUGINS would change/],
  ['LD_PRELOAD=./evil.so', /LD_PRELOAD would change/],
  ['https_proxy=http://evil', /https_proxy would change/],
  ['IFS=x', /IFS would change/],
  ['kubectl get *', /file pattern/],
  ['kubectl get pod?', /file pattern/],
  ['kubectl get pod[ab]', /file pattern/],
  ['A="*"\nkubectl get $A', /file pattern/],
  ['kubectl get ~/x', /home folder/],
  ['kubectl get {a,b}', /braces/],
  ['!! kubectl', /earlier/],
  ['kubectl get "!!"', /earlier/],
  ['^kubectl^evil', /earlier/],
  ['kubectl get $1', /only \$NAME/],
  ['kubectl get $?', /only \$NAME/],
  ['kubectl get ${A:-$(evil)}', /only \$NAME/],
  ["kubectl get $'\\x26'", /only \$NAME/],
  ['kubectl get $((1+1))', /parentheses/],
  ['kubectl get "$NOWHERE"', /gives \$NOWHERE no value/],
  ["kubectl get 'pods", /not closed/],
  ['kubectl get "pods', /not closed/],
  ['kubectl get pods \\', /a backslash/],
  ['kubectl get a#b', /"#" inside/],
  ["echo -e 'a\\nb'", /differ between shells/],
  ['printf %d 1', /only %s/],
  ['cat values.yaml', /cat reads no files/],
  ['grep a values.yaml', /of grep, only/],
  ['kubectl get pods | grep -f values.yaml', /of grep, only/],
  ["kubectl get pods | grep '(a+)+'", /is not interpreted/],
  ['kubectl get pods | tail -f', /of tail, only/],
  // Characters that are not what they seem.
  ['kubectl get\0pods', /U\+0000/],
  ["kubectl get 'a\0b'", /U\+0000/],
  ["kubectl get 'a\x1b[2Jb'", /U\+001B/],
  ['kubectl get\rpods', /U\+000D/],
  ['kubectl\u00a0get pods', /U\+00A0/],
  ['kubectl get pods \uff06 evil', /U\+FF06/],
  ['kubectl get pods\u2028evil', /U\+2028/],
  ['\u043aubectl get pods', /U\+043A/],
  ['kubectl get \u201cpods\u201d', /U\+201C/],
  ["kubectl get 'a\u202eb'", /U\+202E/],
  ['kubectl get pods \u2013n x', /U\+2013/],
  // Values that grow.
  [`A=${'a'.repeat(60_000)}\nB=$A$A\nkubectl get $B`, /more than 100000/],
  // What kubectl and helm could do.
  ['kubectl mcp diagnose a', /of kubectl mcp: .*may be a plugin/],
  ['kubectl config use-context prod', /which cluster is used/],
  ['kubectl cp a:/etc/passwd /etc/passwd', /copy files/],
  ['kubectl proxy', /open a port/],
  ['kubectl port-forward svc/a 8000:8000', /open a port/],
  ['kubectl plugin list', /programs on this machine/],
  ['kubectl edit ds a', /an editor/],
  ['kubectl diff -f pod.yaml', /another program/],
  ['kubectl', /without a subcommand/],
  ['kubectl --kubeconfig /x get pods', /of --kubeconfig: it would reach another cluster/],
  ['kubectl get pods --kubeconfig=/x', /another cluster/],
  ['kubectl get pods --context prod', /another cluster/],
  ['kubectl get pods --server https://evil', /another cluster/],
  ['kubectl get pods -s https://evil', /of -s: .*another cluster/],
  ['kubectl get pods -shttps://evil', /of -s: .*another cluster/],
  ['kubectl get pods -Ashttps://evil', /of -s: .*another cluster/],
  ['kubectl get pods --token x', /another cluster/],
  ['A="--token x"\nkubectl get $A', /another cluster/],
  ['kubectl get pods -w', /does not end/],
  ['kubectl logs -f a', /of -f: .*not among the options/],
  ['kubectl get pods -o jsonpath-file=/etc/passwd', /output format/],
  ['kubectl get pods --cache-dir=/tmp/x', /write files/],
  ['kubectl get pods --profile-output=x', /of --profile-output: it is not among/],
  ['kubectl exec -n gpu-diagnostics a sh', /has to follow "--"/],
  ['kubectl exec -n kube-system a -- sh', /would change namespace "kube-system"/],
  ['kubectl exec a -- sh', /would change namespace "default"/],
  ['kubectl delete pods --all -n gpu-diagnostics -n kube-system', /namespace "kube-system"/],
  ['kubectl delete pods --all -A', /of -A/],
  ['kubectl delete node a', /"node" is not among the kinds/],
  ['kubectl delete pod/a ns/default -n gpu-diagnostics', /"ns" is not among the kinds/],
  ['kubectl delete namespace default', /only namespace gpu-diagnostics/],
  ['kubectl delete namespace gpu-diagnostics default', /only namespace gpu-diagnostics/],
  ['kubectl delete namespaces --all', /only namespace gpu-diagnostics/],
  ['kubectl create namespace other', /only namespace gpu-diagnostics/],
  ['kubectl create configmap a --from-file=/etc/passwd', /read files of this machine/],
  ['kubectl apply -n gpu-diagnostics -f https://example.org/x.yaml', /not a plain path/],
  ['kubectl apply -n gpu-diagnostics -f a.yaml,/x.yaml', /not a plain path/],
  ['kubectl apply -n gpu-diagnostics -f ../secret.yaml', /not in the chart's folder/],
  ['kubectl apply -n gpu-diagnostics -f /etc/passwd', /not in the chart's folder/],
  ['kubectl apply -n gpu-diagnostics -f link.yaml', /not in the chart's folder/],
  ['kubectl apply -n gpu-diagnostics -f charts', /not a file/],
  ['kubectl apply -n gpu-diagnostics -f -', /not in the document/],
  ['kubectl apply -n gpu-diagnostics -k .', /of -k: it would read files/],
  ['kubectl get pods -- evil', /"--" after kubectl get/],
  ['helm repo add a https://evil', /chart repository/],
  ['helm plugin install https://evil', /install programs/],
  ['helm dependency update .', /chart repository/],
  ['helm install a . --post-renderer ./evil', /run a program/],
  ['helm install a . --kube-context prod', /another cluster/],
  ['helm install a . --set-file a=/etc/passwd', /read files/],
  ['helm install a . -f https://example.org/x.yaml', /not a plain path/],
  ['helm install a . -f ../secret.yaml', /not in the chart's folder/],
  ['helm install a oci://evil/chart', /not a plain path/],
  ['helm install a repo/chart', /not in the chart's folder/],
  ['helm install a ..', /not in the chart's folder/],
  ['helm install a . --repo https://evil', /chart repository/],
  ['helm install a . -n kube-system', /namespace "kube-system"/],
  ['helm template . --output-dir /tmp/x', /write files/],
  ['helm uninstall theirs', /release theirs in default is not of this run/],
];

describe('a hostile line', () => {
  it.each(HOSTILE)('%j starts nothing', async (text, why) => {
    expect(await refusal(text)).toMatch(why);
  });

  it('is quoted on one line, with characters that a reader would not see', async () => {
    expect(await refusal('kubectl version\n\n  kubectl get\u200b pods')).toBe(
      '`kubectl getU+200B pods` is not run: U+200B outside of quotes is no part of a command',
    );
  });

  it('is also refused when an option comes from the cluster', async () => {
    const started: string[] = [];
    const start: StartProgram = (program, args) => {
      started.push(program);
      return Promise.resolve({ exitCode: 0, stdout: args[0] === 'get' ? '--token=x' : '', stderr: '' });
    };
    const session = new CommandSession({ folder: await chartFolder(), terminal: '', start });
    await expect(session.run('kubectl describe pods "$(kubectl get pods)"')).rejects.toThrow('of --token');
    expect(started).toEqual(['kubectl']);
  });
});

/** A sequence that is the same in every run (Numerical Recipes, a linear congruential generator). */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function mixture(next: (below: number) => number, pieces: readonly string[], length: number): string {
  return Array.from({ length }, () => pieces[next(pieces.length)]).join('');
}

describe('a random mixture', () => {
  const WORDS = ['a', 'b c', 'get ', ' ', ' ', 'kubectl ', 'helm ', '-n', '$A', '${A}', '$(kubectl get x)'];
  const META = [
    '&',
    ';',
    '|',
    '<',
    '>',
    '(',
    ')',
    '$',
    '`',
    '\\',
    '"',
    "'",
    '\n',
    '*',
    '?',
    '[',
    '~',
    '=',
    '#',
  ];
  const MORE = [
    'evil',
    ' evil ',
    '$(',
    '<<E',
    '\nE\n',
    '{',
    '}',
    '!',
    '%',
    '\0',
    '\r',
    '\t',
    '\u00a0',
    '\u202e',
    'A=',
    '..',
  ];

  it('starts only kubectl and helm, and no argument is a piece of syntax outside of quotes', async () => {
    const next = sequence(1);
    const folder = await chartFolder();
    const accepted: { text: string; argv: string[] }[] = [];
    for (let round = 0; round < 4000; round += 1) {
      const { started, session } = recordingSession(folder);
      const text = `kubectl get ${mixture(next, [...WORDS, ...META, ...MORE], 1 + next(9))}`;
      const outcome: unknown = await session.run(text).catch((error: unknown) => error);
      accepted.push(...started.map(({ argv }) => ({ text, argv })));
      if (outcome instanceof Error && !(outcome instanceof CommandNotRun)) throw outcome;
    }
    expect(accepted.length).toBeGreaterThan(100);
    expect(accepted.filter(({ argv }) => argv[0] !== 'kubectl' && argv[0] !== 'helm')).toEqual([]);
    const bare = accepted.filter(({ text }) => !/['"\\]/.test(text));
    expect(bare.filter(({ argv }) => /[&;<>()`*?~\0\r]/.test(argv.join(' ')))).toEqual([]);
  });

  it('gives the arguments that a shell gives', async () => {
    const next = sequence(2);
    const folder = await chartFolder();
    const log = join(folder, 'calls');
    const pieces = [
      'a',
      ' ',
      ' ',
      'b',
      '"',
      "'",
      '\\',
      '$A',
      '"$B"',
      '${B}',
      '$(kubectl get x)',
      '#',
      '\n',
      '\\\n',
      '=',
      '%',
    ];
    const accepted: { text: string; argv: string[][] }[] = [];
    while (accepted.length < 300) {
      const { started, session } = recordingSession(folder);
      const text = `A=x\nB=' y  z '\nkubectl get ${mixture(next, pieces, 2 + next(10))}\n`;
      // A name at the start of a line is another program, which the shell would look for.
      const outcome: unknown = await session.run(text).catch((error: unknown) => error);
      if (!(outcome instanceof CommandNotRun)) accepted.push({ text, argv: started.map(({ argv }) => argv) });
    }
    // Only accepted text meets a shell, in which the two programs are functions and no others are found.
    const record = `record() { printf '%s\\0' "$@" >> "$LOG"; printf '\\1' >> "$LOG"; printf 'pod/a Running\\npod/b Pending\\n'; }
kubectl() { record kubectl "$@"; }
helm() { record helm "$@"; }
`;
    const script = accepted.map(({ text }) => `${text}\nprintf '\\2' >> "$LOG"\n`).join('');
    const env = { PATH: join(folder, 'charts'), LOG: log };
    await createCommandRunner().run('/bin/sh', ['-ec', record + script], { cwd: folder, env });
    const calls = (await readFile(log, 'utf8')).split('\x02').slice(0, -1);
    const byShell = accepted.map(({ text }, i) => ({
      text,
      argv: (calls[i] ?? '')
        .split('\x01')
        .slice(0, -1)
        .map((call) => call.split('\0').slice(0, -1)),
    }));
    expect(accepted).toEqual(byShell);
  });
});
