/**
 * Reads the log of a step as GitHub's runner does, and says which workflow commands it would execute. Both notations count: `::name::` at
 * the start of a line, and the older `##[name]` anywhere in it.
 */
const NAMES = [
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning',
];

/** Names and data of the executed commands, in order: `error boom`. */
export function executedCommands(log: string): string[] {
  const executed: string[] = [];
  let resume: string | undefined;
  // A carriage return ends a line too.
  for (const line of log.split(/\r\n|\r|\n/)) {
    const known = [...NAMES, ...(resume === undefined ? [] : [resume])];
    const parsed = commandIn(line, known);
    if (!parsed) continue;
    if (resume !== undefined) {
      if (parsed.name === resume) resume = undefined;
    } else if (parsed.name === 'stop-commands') {
      resume = parsed.data.toLowerCase();
    } else {
      executed.push(`${parsed.name} ${parsed.data}`);
    }
  }
  if (resume !== undefined) executed.push('(commands are still stopped at the end)');
  return executed;
}

function commandIn(line: string, known: readonly string[]): { name: string; data: string } | undefined {
  const forms = [/^[\s\u0085]*::([^ ]*?)(?: .*?)?::(.*)$/, /##\[([^ \]]*)(?: [^\]]*)?\](.*)$/];
  for (const form of forms) {
    const [, name = '', data = ''] = form.exec(line) ?? [];
    if (known.includes(name.toLowerCase())) return { name: name.toLowerCase(), data };
  }
  return undefined;
}
