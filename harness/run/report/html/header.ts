/** The top of the report: the verdict, and the facts of the run. */
import { seconds } from '../../../core/deadline.ts';
import type { Report } from '../model.ts';
import { countsOf, verdictOf } from '../verdict.ts';
import { wishesText } from '../wording.ts';
import type { Markup } from './markup.ts';
import { markup, prose } from './markup.ts';

const marks = { passed: '✓', failed: '✗', none: '?' };

export function header(report: Report): Markup {
  const verdict = verdictOf(report);
  const counts = countsOf(report);
  const { error } = report.run;
  const { given = [], missing = [] } = report.cluster?.provided ?? {};
  const started = report.run.startedAt.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');
  const suites = [...new Set([...report.checks, ...(report.proofs ?? [])].map(({ suite }) => suite))].join(
    ', ',
  );
  const tiles: [string, number, string][] = [
    ['passed', counts.passed, 'passed'],
    ['failed', counts.failed, 'failed'],
    ['skipped', counts.skipped, 'skipped'],
  ];
  return markup`
<header class="${`verdict ${verdict.tone}`}">
  <div class="mark" aria-hidden="true">${marks[verdict.tone]}</div>
  <div class="words">
    <p class="product">kindproof report</p>
    <h1>${verdict.headline}</h1>
    ${[verdict.sentence, ...verdict.coverage].map((line) => line !== '' && markup`<p class="sentence">${line}</p>`)}
  </div>
  <ul class="tiles">${tiles.map(([tone, count, word]) => markup`<li class="${count === 0 ? 'zero' : tone}"><b>${count}</b>${word}</li>`)}</ul>
</header>
${
  error &&
  markup`
<section class="run-error" id="error">
  <h2><code>${error.code}</code></h2>
  <pre>${error.message}</pre>
  ${error.hint !== undefined && markup`<p class="hint">${prose(error.hint)}</p>`}
</section>`
}
<dl class="facts">
  ${fact('Run', markup`<code>${report.run.id}</code>`)}
  ${fact('Started', started)}
  ${fact('Took', seconds(report.run.durationMs))}
  ${suites !== '' && fact('Suites', suites)}
  ${report.cluster && fact('Kubernetes', report.cluster.kubernetes)}
  ${given.length > 0 && fact('Provided for the chart', wishesText(given), 'wide')}
  ${missing.length > 0 && fact('Not provided', wishesText(missing), 'wide')}
  ${fact('Exit code', String(report.run.exitCode))}
  ${fact('Command', markup`<code>${report.run.command}</code>`, 'wide')}
</dl>`;
}

function fact(name: string, value: Markup | string, kind = ''): Markup {
  return markup`<div class="${kind}"><dt>${name}</dt><dd>${value}</dd></div>`;
}
