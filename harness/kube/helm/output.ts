/** Reads what `helm lint` and `helm test` print: they have no machine-readable form. */
import type { HelmTestResult, LintMessage } from './types.ts';

/** Lines of the form `[WARNING] templates/x.yaml: text`; a line without a tag continues the one before. */
export function parseLint(stdout: string): LintMessage[] {
  const messages: LintMessage[] = [];
  for (const line of stdout.split('\n')) {
    const [, severity, path = '', text = ''] = /^\[(INFO|WARNING|ERROR)\] (\S+?): ?(.*)$/.exec(line) ?? [];
    if (severity !== undefined) {
      messages.push({ severity: severity.toLowerCase() as LintMessage['severity'], path, text });
      continue;
    }
    const last = messages.at(-1);
    if (!last || /^(==> |\d+ chart\(s\) linted|Error: )/.test(line)) continue;
    last.text = `${last.text}\n${line}`.trim();
  }
  return messages;
}

/** The suites that `helm test` reports: `TEST SUITE: name` and some lines later `Phase: Succeeded`. */
export function parseTests(stdout: string): HelmTestResult['tests'] {
  const found = stdout.matchAll(
    /^TEST SUITE:[ \t]+(\S+)\n(?:Last (?:Started|Completed):.*\n)*(?:Phase:[ \t]+(\S*))?/gm,
  );
  return [...found].flatMap(([, name = '', phase = '']) => (name === 'None' ? [] : [{ name, phase }]));
}
