/** Parses the output of `helm lint`, which has no machine-readable form. */
import type { LintMessage } from './types.ts';

/** Lines have the form `[WARNING] templates/x.yaml: text`; a line without a tag continues the one before. */
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
