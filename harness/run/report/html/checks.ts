/** Failures in full, then every check with what it saw. */
import { seconds } from '../../../core/deadline.ts';
import { commonFolder } from '../artifacts.ts';
import type { CheckResult, Report } from '../model.ts';
import { collapse } from '../text.ts';
import { isRed, plural, shortId, summaryOfCheck } from '../verdict.ts';
import type { Markup } from './markup.ts';
import { anchor, markup, prose, relativeHref } from './markup.ts';

const symbols = { passed: '✓', failed: '✗', errored: '✗', skipped: '○', blocked: '○' };

export function failuresSection(report: Report): Markup | undefined {
  const failed = report.checks.filter(isRed);
  if (failed.length === 0) return undefined;
  return markup`
<section id="failures">
  <h2>Failures</h2>
  ${failed.map(failureCard)}
</section>`;
}

function failureCard(check: CheckResult): Markup {
  const { diagnosis } = check;
  const [verdict, ...more] = summaryOfCheck(check).split('\n');
  return markup`
<article class="failure" id="${anchor('check', check.id)}">
  <h3><span class="id">${check.suite} ${shortId(check)}</span> ${prose(verdict ?? '')}</h3>
  ${more.length > 0 && markup`<pre>${more.join('\n')}</pre>`}
  <p class="muted">${check.title} · ${seconds(check.durationMs)} · <code>${check.file}</code></p>
  ${
    diagnosis &&
    (diagnosis.expected !== undefined || diagnosis.actual !== undefined) &&
    markup`
  <div class="compare">
    <div class="expected"><h4>expected</h4><pre>${diagnosis.expected ?? 'not stated'}</pre></div>
    <div class="actual"><h4>actual</h4><pre>${diagnosis.actual ?? 'not stated'}</pre></div>
  </div>`
  }
  ${
    diagnosis &&
    diagnosis.causes.length > 0 &&
    markup`
  <h4>because</h4>
  <ol class="causes">${diagnosis.causes.map((cause) => markup`<li><b>${cause.object}</b> <span>${cause.says}</span></li>`)}</ol>`
  }
  ${diagnosis?.hint !== undefined && markup`<p class="hint">${prose(diagnosis.hint)}</p>`}
  ${
    diagnosis &&
    diagnosis.timeline.length > 0 &&
    markup`
  <details ${diagnosis.timeline.length <= 12 && 'open'}><summary>Last state changes (${diagnosis.timeline.length})</summary>
  <ol class="moments">${collapse(diagnosis.timeline).map((moment) => markup`<li><time>+${seconds(moment.afterMs)}</time><span>${moment.text}</span></li>`)}</ol></details>`
  }
  ${observedDetails(check)}
  ${artifactLinks(check.artifacts ?? [])}
</article>`;
}

/** The folder once, and what lies in it. */
function artifactLinks(artifacts: readonly string[]): Markup | undefined {
  const folder = commonFolder(artifacts);
  if (folder === undefined) return undefined;
  const links = artifacts.map((artifact) => {
    const href = relativeHref(artifact);
    const name = artifact.startsWith(folder) ? artifact.slice(folder.length) : artifact;
    return href === undefined ? markup`<code>${artifact}</code> ` : markup`<a href="${href}">${name}</a> `;
  });
  return markup`<p class="artifacts"><span class="muted">Evidence in ${folder}</span> ${links}</p>`;
}

function observedDetails(check: CheckResult): Markup | undefined {
  if (check.observed.length === 0) return undefined;
  return markup`<details><summary>What the check saw (${check.observed.length})</summary>${observedList(check)}</details>`;
}

function observedList(check: CheckResult): Markup {
  return markup`<ul class="observed">${check.observed.map((text) => markup`<li>${text}</li>`)}</ul>`;
}

/** Every check of every suite; what it observed unfolds. */
export function checksSection(report: Report): Markup | undefined {
  if (report.checks.length === 0) return undefined;
  const suites = [...new Set(report.checks.map((check) => check.suite))];
  return markup`
<section id="checks">
  <h2>Checks</h2>
  ${suites.map((suite) => {
    const checks = report.checks.filter((check) => check.suite === suite);
    const failed = checks.filter(isRed).length;
    return markup`
  <h3>${suite} <span class="muted">${plural(checks.length, 'check')}${failed > 0 && `, ${failed} failed`}</span></h3>
  <div class="list">${checks.map(checkRow)}</div>`;
  })}
</section>`;
}

function checkRow(check: CheckResult): Markup {
  const head = markup`<span class="${`status ${check.status}`}"><span aria-hidden="true">${symbols[check.status]}</span><span class="hidden">${check.status}</span></span><span class="id">${shortId(check)}</span><span class="title">${check.title}</span><span class="time">${seconds(check.durationMs)}</span>`;
  return markup`
  <details class="check"><summary>${head}</summary>
    <div class="inside">
      ${isRed(check) && markup`<p><a href="#${anchor('check', check.id)}">${summaryOfCheck(check)}</a></p>`}
      ${check.status === 'skipped' && markup`<p>Skipped: ${check.reason ?? 'no reason was given'}</p>`}
      ${check.observed.length > 0 && observedList(check)}
      <p class="muted">${check.requirements.join(', ')} · ${plural(check.assertions, 'assertion')} · <code>${check.file}</code></p>
    </div>
  </details>`;
}
