/** The style of the page. Light, dark and print differ only in the values of the colour variables. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --line: #dfe3e8; --text: #1c2430; --muted: #647084; --code: #eef1f5;
  --good: #15803d; --good-soft: #e3f5e9; --bad: #c02626; --bad-soft: #fdebea; --warn: #a15c07; --warn-soft: #fdf3dc; --info: #1f63c4;
  --pending: #c3cad5; --scheduled: #93a3ba; --init: #7b6fd0; --starting: #6ba3ea; --ready: #3aa564; --unready: #e9a23b;
  --waiting: #d9c27a; --failed: #d64545; --completed: #a9cdb6; --deleting: #b9a3ae;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f141b; --card: #171e28; --line: #2b3543; --text: #e4e9f0; --muted: #93a0b4; --code: #222c39;
    --good: #5fd18a; --good-soft: #14321f; --bad: #ff8078; --bad-soft: #3a1a1b; --warn: #f0bb60; --warn-soft: #362a12; --info: #80b3ff;
    --pending: #4a5566; --scheduled: #64748b; --init: #8f83e8; --starting: #4f8bd6; --ready: #3aa564; --unready: #d9912b;
    --waiting: #a08a45; --failed: #e05252; --completed: #45705a; --deleting: #7a6470;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 3.5rem; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1140px; margin: 0 auto; padding: 24px 20px 48px; }
code, pre, .digest { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .87em; }
code { background: var(--code); padding: .1em .35em; border-radius: 4px; overflow-wrap: anywhere; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
a { color: var(--info); text-underline-offset: 2px; }
h1, h2, h3, h4, p { margin: 0; }
h2 { font-size: 1.2rem; margin-bottom: 12px; }
h3 { font-size: 1rem; margin: 18px 0 8px; }
h2 .muted, h3 .muted { font-weight: 400; font-size: .88em; }
.muted { color: var(--muted); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px 22px; margin-top: 18px; }
section.warning { border-left: 5px solid var(--warn); }
.scroll { overflow-x: auto; }

.verdict { display: flex; align-items: center; gap: 20px; padding: 24px; border-radius: 14px; border: 1px solid var(--line); border-left-width: 8px; background: var(--card); }
.verdict.passed { border-color: var(--good); background: var(--good-soft); }
.verdict.failed { border-color: var(--bad); background: var(--bad-soft); }
.verdict.none { border-color: var(--warn); background: var(--warn-soft); }
.verdict .mark { flex: none; width: 60px; height: 60px; border-radius: 50%; display: grid; place-items: center; font-size: 30px; font-weight: 700; color: var(--card); }
.passed .mark { background: var(--good); } .failed .mark { background: var(--bad); } .none .mark { background: var(--warn); }
.verdict .words { flex: 1; min-width: 0; }
.verdict .product { color: var(--muted); font-size: .8rem; letter-spacing: .06em; text-transform: uppercase; }
.verdict h1 { font-size: 1.75rem; line-height: 1.2; overflow-wrap: anywhere; }
.verdict .sentence { margin-top: 4px; font-size: 1.05rem; }
.tiles { list-style: none; display: flex; gap: 10px; margin: 0; padding: 0; }
.tiles li { min-width: 78px; padding: 8px 12px; text-align: center; border-radius: 10px; background: var(--card); border: 1px solid var(--line); font-size: .8rem; color: var(--muted); }
.tiles b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles .passed b { color: var(--good); } .tiles .failed b { color: var(--bad); } .tiles .skipped b { color: var(--warn); }

.facts { display: flex; flex-wrap: wrap; gap: 12px 32px; margin: 16px 4px 0; }
.facts .wide { flex-basis: 100%; }
dt { color: var(--muted); font-size: .8rem; } dd { margin: 0; overflow-wrap: anywhere; }
nav { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 4px 18px; margin-top: 16px; padding: 10px 4px; background: var(--page); border-bottom: 1px solid var(--line); font-size: .92rem; }
nav a { text-decoration: none; } nav a:hover { text-decoration: underline; }
.run-error { border-left: 5px solid var(--warn); }
.hint { margin-top: 12px; padding: 8px 12px; border-left: 3px solid var(--info); background: var(--code); border-radius: 0 6px 6px 0; white-space: pre-line; }
.lead { color: var(--muted); margin-bottom: 10px; }

.id { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .9em; font-weight: 600; }
.failure { border: 1px solid var(--line); border-left: 5px solid var(--bad); border-radius: 8px; padding: 16px 18px; }
.failure + .failure { margin-top: 16px; }
.failure h3 { margin: 0 0 4px; font-size: 1.08rem; overflow-wrap: anywhere; }
.failure h3 .id { color: var(--bad); margin-right: 6px; }
.failure h4 { margin: 14px 0 4px; color: var(--muted); font-size: .8rem; font-weight: 600; letter-spacing: .04em; }
.failure > pre { margin: 6px 0; }
.failure > .muted { font-size: .88rem; }
.compare { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(260px, 100%), 1fr)); gap: 12px; margin-top: 12px; }
.compare > div { border-radius: 8px; padding: 8px 12px; }
.compare h4 { margin: 0 0 2px; }
.expected { background: var(--good-soft); } .actual { background: var(--bad-soft); }
.expected h4 { color: var(--good); } .actual h4 { color: var(--bad); }
.causes { list-style: none; margin: 0; padding: 0; }
.causes li { position: relative; padding: 5px 0 5px 24px; white-space: pre-line; overflow-wrap: anywhere; }
.causes li::before { content: ""; position: absolute; left: 5px; top: 13px; width: 9px; height: 9px; border-radius: 50%; background: var(--card); border: 2px solid var(--bad); }
.causes li:last-child::before { background: var(--bad); }
.causes li:not(:last-child)::after { content: ""; position: absolute; left: 9px; top: 22px; bottom: -13px; width: 1px; background: var(--bad); opacity: .45; }
details { margin-top: 10px; } summary { cursor: pointer; }
.failure > details > summary { color: var(--muted); font-size: .92rem; }
.moments { list-style: none; margin: 6px 0 0; padding: 0; font-size: .92rem; }
.moments li { display: grid; grid-template-columns: 7em 1fr; gap: 10px; }
.moments time { color: var(--muted); text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.moments span { overflow-wrap: anywhere; white-space: pre-line; }
.observed { margin: 6px 0 0; padding-left: 20px; font-size: .92rem; overflow-wrap: anywhere; white-space: pre-line; }
.artifacts { margin-top: 12px; display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: .92rem; }
.artifacts a { overflow-wrap: anywhere; }

table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th { text-align: left; color: var(--muted); font-weight: 600; font-size: .8rem; white-space: nowrap; }
th, td { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 2px; }
tbody tr:last-child td { border-bottom: 0; }
td.id, td.short { white-space: nowrap; } td.multiline { white-space: pre-line; overflow-wrap: anywhere; min-width: 260px; }
td .line { display: block; width: fit-content; } td.multiline { width: 45%; } td code.line { margin-bottom: 3px; overflow-wrap: break-word; }
td details { margin: 0; font-size: .92em; color: var(--muted); }
td .suite, td .source { display: block; font: 400 .82rem/1.4 system-ui, sans-serif; }
.requirements td:nth-child(2) { min-width: 240px; } .requirements td:nth-child(3) { min-width: 190px; }
.requirements td:nth-child(4) { font-size: .95em; min-width: 165px; }
.good { color: var(--good); } .bad { color: var(--bad); }
.chip { display: inline-block; padding: 1px 9px; border-radius: 999px; font-size: .8rem; font-weight: 600; white-space: nowrap; background: var(--code); color: var(--muted); }
.chip.passed { background: var(--good-soft); color: var(--good); } .chip.failed, .chip.errored { background: var(--bad-soft); color: var(--bad); }
.chip.warning, .chip.skipped, .chip.blocked, .chip.uncovered { background: var(--warn-soft); color: var(--warn); }
.filter { display: flex; flex-wrap: wrap; gap: 8px; margin-bottom: 12px; } .filter[hidden] { display: none; }
.filter button, .filter input { font: inherit; font-size: .88rem; padding: 3px 12px; border-radius: 999px; border: 1px solid var(--line); background: var(--card); color: var(--text); }
.filter button { cursor: pointer; } .filter button[aria-pressed="true"] { background: var(--text); color: var(--card); border-color: var(--text); }
.filter input { min-width: 0; width: 150px; margin-left: auto; }

.list { border: 1px solid var(--line); border-radius: 8px; }
.check { margin: 0; } .check + .check { border-top: 1px solid var(--line); }
.check > summary { display: grid; grid-template-columns: 1.4em minmax(4.2em, max-content) 1fr auto; gap: 10px; padding: 6px 12px; list-style: none; align-items: baseline; }
.check > summary::-webkit-details-marker { display: none; }
.check > summary:hover { background: var(--code); }
.check .title { overflow-wrap: anywhere; } .check .time { color: var(--muted); font-size: .88rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.check .inside { padding: 2px 12px 10px calc(1.4em + 22px); } .check .inside .muted { font-size: .86rem; margin-top: 4px; }
.status { font-weight: 700; } .status.passed { color: var(--good); } .status.failed { color: var(--bad); } .status.errored { color: var(--bad); } .status.warning, .status.skipped, .status.blocked { color: var(--warn); }

.pairs { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0 0 10px; }
.pairs dt { font-size: .92rem; }
.subject + .subject { margin-top: 18px; border-top: 1px solid var(--line); padding-top: 2px; }
.subject h3 { margin-top: 8px; }
.digest { font-size: .78rem; }
.capabilities { list-style: none; margin: 0; padding: 0; }
.capabilities li { display: grid; grid-template-columns: 5.2em minmax(9em, max-content) 1fr; gap: 12px; padding: 5px 0; align-items: baseline; }
.capabilities .chip { justify-self: start; }

figure { margin: 0; }
details.timeline { margin: 0; padding: 8px 0; border-top: 1px solid var(--line); }
.timeline > summary { font-weight: 600; overflow-wrap: anywhere; } .timeline > summary .muted { font-weight: 400; font-size: .9em; margin-left: 6px; }
.timeline > figure { margin: 8px 0 6px; }
.timelines { margin-top: 8px; font-size: .92rem; overflow-wrap: anywhere; }
.timeline svg, .gantt { display: block; font-size: 12px; fill: var(--text); }
.scroll > svg { min-width: 760px; max-width: 100%; height: auto; }
.axis line { stroke: var(--line); } .axis text { fill: var(--muted); font-size: 11px; }
.lane text { fill: var(--muted); font-size: 12px; } .lane.pod text { fill: var(--text); font-weight: 600; }
.track { stroke: var(--line); stroke-dasharray: 1 4; }
.band.pending { fill: var(--pending); } .band.scheduled { fill: var(--scheduled); } .band.init { fill: var(--init); }
.band.starting { fill: var(--starting); } .band.ready { fill: var(--ready); } .band.unready { fill: var(--unready); }
.band.waiting { fill: var(--waiting); } .band.failed { fill: var(--failed); } .band.completed { fill: var(--completed); } .band.deleting { fill: var(--deleting); }
.lane .band:hover, .phase:hover { opacity: .8; }
.marker { stroke: var(--card); stroke-width: 1.2; } .marker.oom { fill: var(--bad); } .marker.restart { fill: var(--init); }
.marker.warning { fill: var(--warn); } .marker.event { fill: var(--muted); }
.checks-label { fill: var(--muted); } .span { fill: var(--info); opacity: .75; } .span.red { fill: var(--bad); } .timeline a:hover .span { opacity: 1; }
.during { fill: var(--info); opacity: .07; } .during.red { fill: var(--bad); opacity: .09; }
.mention { fill: none; stroke: var(--bad); stroke-width: 1.6; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 18px; padding: 0; font-size: .84rem; color: var(--muted); }
.legend li { display: flex; align-items: center; gap: 6px; }
.gantt .phase.passed { fill: var(--starting); } .gantt .phase.failed { fill: var(--failed); } .gantt .time { fill: var(--muted); }
footer { margin-top: 24px; color: var(--muted); font-size: .84rem; text-align: center; }

@media (max-width: 720px) {
  main { padding: 12px 10px 32px; }
  .verdict { flex-wrap: wrap; padding: 18px; gap: 14px; }
  .verdict .mark { width: 44px; height: 44px; font-size: 22px; }
  .verdict h1 { font-size: 1.35rem; }
  .tiles { width: 100%; } .tiles li { flex: 1; min-width: 0; }
  section { padding: 16px 14px; }
  .check > summary { grid-template-columns: 1.2em 1fr auto; } .check .title { grid-column: 2 / -1; grid-row: 2; }
  .capabilities li { grid-template-columns: 5.2em 1fr; } .capabilities li > span:last-child { grid-column: 2; }
  nav { position: static; }
  .filter input { margin-left: 0; flex: 1 1 100%; }
}
@media print {
  :root {
    --page: #fff; --card: #fff; --line: #ccc; --text: #111; --muted: #555; --code: #f2f2f2; --good: #15803d; --good-soft: #e8f6ed;
    --bad: #b91c1c; --bad-soft: #fdeeee; --warn: #92560a; --warn-soft: #fdf5e4; --info: #1f63c4;
  }
  body { font-size: 11pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; } nav, .filter { display: none; } section { border-radius: 0; padding: 12px 0; border-width: 1px 0 0; }
  .failure, figure, tr, .check { break-inside: avoid; } h2, h3 { break-after: avoid; } .scroll { overflow: visible; } .scroll > svg { min-width: 0; width: 100%; }
}
`;
