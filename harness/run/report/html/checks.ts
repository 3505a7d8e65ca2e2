/** Failures in full, then every check with what it observed. */
import { seconds } from '../../../core/deadline.ts';
import { count } from '../../../core/wording.ts';
import type { CheckResult, Report } from '../model.ts';
import { collapse } from '../text.ts';
import { isRed } from '../verdict.ts';
import { isWarning } from '../status.ts';
import { blockedGroups, bySuite, commonFolder, remarkOf, shortId, summaryOfCheck } from '../wording.ts';
import type { Markup } from './markup.ts';
import { anchor, markup, prose, relativeHref } from './markup.ts';
import { timelineLinks } from './timeline.ts';

const symbols: Record<CheckResult['status'], string> = {
  passed: '✓',
  warning: '!',
  failed: '✗',
  errored: '✗',
  skipped: '○',
  'not-applicable': '–',
  blocked: '○',
};

export function failuresSection(report: Report): Markup | undefined {
  if (!report.checks.some(isRed)) return undefined;
  return markup`
<section id="failures">
  <h2>Failures</h2>
  ${bySuite(report.checks).map(([, checks]) => {
    const groups = blockedGroups(checks);
    return checks
      .filter(isRed)
      .map((check) => failureCard(check, groups.find(({ by }) => by === check)?.blocked ?? [], report));
  })}
</section>`;
}

export function warningsSection(report: Report): Markup | undefined {
  const warnings = report.checks.filter(isWarning);
  if (warnings.length === 0) return undefined;
  return markup`
<section id="warnings" class="warning">
  <h2>Warnings</h2>
  <p class="lead">Advice that the subject does not follow. It breaks no promise and does not change the verdict.</p>
  <ul class="observed">${warnings.map(
    (check) =>
      markup`<li><a href="#${anchor('check', check.id)}"><span class="id">${check.suite} ${shortId(check)}</span></a> ${prose(summaryOfCheck(check))}${check.diagnosis?.hint !== undefined && markup` <span class="muted">${prose(check.diagnosis.hint)}</span>`}</li>`,
  )}</ul>
</section>`;
}

function failureCard(check: CheckResult, blocked: readonly CheckResult[], report: Report): Markup {
  const { diagnosis } = check;
  const timelines = timelineLinks(report, check.namespaces);
  const [summary, ...more] = summaryOfCheck(check).split('\n');
  return markup`
<article class="failure" id="${anchor('check', check.id)}">
  <h3><span class="id">${check.suite} ${shortId(check)}</span> ${prose(summary ?? '')}</h3>
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
  ${(check.notes ?? []).map((text) => markup`<p>Note: ${text}</p>`)}
  ${observedDetails(check)}
  ${timelines && markup`<p class="timelines"><span class="muted">Pods over time:</span> ${timelines}</p>`}
  ${blocked.length > 0 && markup`<p class="muted">Blocks ${count(blocked.length, 'check')}: ${blocked.map(shortId).join(', ')}</p>`}
  ${artifactLinks(check.artifacts ?? [])}
</article>`;
}

/** The folder once, then its files. */
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
  return markup`<details><summary>Observed (${check.observed.length})</summary>${observedList(check)}</details>`;
}

function observedList(check: CheckResult): Markup {
  return markup`<ul class="observed">${check.observed.map((text) => markup`<li>${text}</li>`)}</ul>`;
}

/** Every check of every suite; what it observed unfolds. */
export function checksSection(report: Report): Markup | undefined {
  if (report.checks.length === 0) return undefined;
  return markup`
<section id="checks">
  <h2>Checks</h2>
  ${bySuite(report.checks).map(([suite, checks]) => {
    const failed = checks.filter(isRed).length;
    return markup`
  <h3>${suite} <span class="muted">${count(checks.length, 'check')}${failed > 0 && `, ${failed} failed`}</span></h3>
  <div class="list">${checks.map((check) => checkRow(check, report))}</div>`;
  })}
</section>`;
}

function checkRow(check: CheckResult, report: Report): Markup {
  const timelines = timelineLinks(report, check.namespaces);
  const remark = remarkOf(check);
  const head = markup`<span class="${`status ${check.status}`}"><span aria-hidden="true">${symbols[check.status]}</span><span class="hidden">${check.status}</span></span><span class="id">${shortId(check)}</span><span class="title">${check.title}</span><span class="time">${seconds(check.durationMs)}</span>`;
  return markup`
  <details class="check"><summary>${head}</summary>
    <div class="inside" ${!isRed(check) && markup`id="${anchor('check', check.id)}"`}>
      ${isRed(check) && markup`<p><a href="#${anchor('check', check.id)}">${summaryOfCheck(check)}</a></p>`}
      ${remark !== undefined && markup`<p>${capitalised(remark)}</p>`}
      ${(check.notes ?? []).map((text) => markup`<p>Note: ${text}</p>`)}
      ${check.observed.length > 0 && observedList(check)}
      ${timelines && markup`<p class="timelines"><span class="muted">Pods over time:</span> ${timelines}</p>`}
      <p class="muted">${check.requirements.join(', ')} · ${count(check.assertions, 'assertion')} · <code>${check.file}</code></p>
    </div>
  </details>`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
