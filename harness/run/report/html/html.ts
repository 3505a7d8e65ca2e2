/** The report as one HTML file that loads nothing. Without JavaScript only the filters are missing. */
import { createHash } from 'node:crypto';
import { checksSection, failuresSection, warningsSection } from './checks.ts';
import { clusterSection, leftoversSection, subjectsSection, toolsSection } from './environment.ts';
import { header } from './header.ts';
import { Markup, markup } from './markup.ts';
import { phasesSection } from './phases.ts';
import { proofsSection } from './proofs.ts';
import { requirementsSection } from './requirements.ts';
import { script } from './script.ts';
import { style } from './style.ts';
import { timelinesSection } from './timeline.ts';
import { writeReportFile } from '../files.ts';
import type { Report } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { verdictOf } from '../verdict.ts';

export const htmlReporter: Reporter = {
  name: 'html',
  write: async (report, directory) => [await writeReportFile(directory, 'report.html', toHtml(report))],
};

/** A whole HTML document. Every text of the report is escaped; a content security policy forbids other scripts and loading. */
export function toHtml(report: Report): string {
  const sections: [string, Markup | undefined][] = [
    ['Failures', failuresSection(report)],
    ['Warnings', warningsSection(report)],
    ['Faults', proofsSection(report)],
    ['Requirements', requirementsSection(report)],
    ['Checks', checksSection(report)],
    ['Timelines', timelinesSection(report)],
    ['Phases', phasesSection(report)],
    ['Tested', subjectsSection(report)],
    ['Cluster', clusterSection(report)],
    ['Tools', toolsSection(report)],
  ];
  const shown = sections.filter((entry): entry is [string, Markup] => entry[1] !== undefined);
  const verdict = verdictOf(report);
  const policy = `default-src 'none'; style-src ${hashOf(style)}; script-src ${hashOf(script)}; base-uri 'none'; form-action 'none'`;
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${verdict.headline} · kindproof ${report.run.id}</title>
<style>${new Markup(style)}</style>
</head>
<body>
<main>
${header(report)}
<nav aria-label="Sections">${shown.map(([name, section]) => markup`<a href="#${idOf(section)}">${name}</a>`)}</nav>
${leftoversSection(report)}
${shown.map(([, section]) => section)}
<footer>Written by kindproof from report.json, schema version ${report.schemaVersion}.</footer>
</main>
<script>${new Markup(script)}</script>
</body>
</html>
`.text;
}

function idOf(section: Markup): string {
  return /<section id="([^"]+)"/.exec(section.text)?.[1] ?? '';
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
