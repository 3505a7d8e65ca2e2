/** What was tested, and where: subjects with digests, cluster, capabilities, tools, leftovers. */
import { gpuFidelity } from '../gpu-fidelity.ts';
import type { Report } from '../model.ts';
import type { Markup } from './markup.ts';
import { markup } from './markup.ts';

export function subjectsSection(report: Report): Markup | undefined {
  if (report.subjects.length === 0) return undefined;
  return markup`
<section id="subjects">
  <h2>What was tested</h2>
  ${report.subjects.map(
    (subject) => markup`
  <article class="subject">
    <h3>${subject.suite}${subject.reference !== undefined && markup` <span class="muted">reference ${subject.reference}</span>`}</h3>
    <dl class="pairs"><dt>${subject.platform ? 'platform' : 'chart'}</dt><dd><code>${subject.platform?.file ?? subject.chart}</code></dd>
      ${!subject.platform && subject.values.length > 0 && markup`<dt>values</dt><dd>${subject.values.map((values) => markup`<code>${values}</code> `)}</dd>`}
      ${subject.prerequisites && markup`<dt>prerequisites</dt><dd>${subject.prerequisites.map((file) => markup`<code>${file}</code> `)}</dd>`}
    </dl>
    ${
      subject.images.length > 0 &&
      markup`<div class="scroll"><table>
      <thead><tr><th>Image</th><th>Reference</th><th>Digest</th></tr></thead>
      <tbody>${subject.images.map((image) => markup`<tr><td>${image.name}</td><td><code>${image.ref}</code></td><td>${image.digest === undefined ? markup`<span class="muted">unknown</span>` : markup`<code class="digest">${image.digest}</code>`}</td></tr>`)}</tbody>
    </table></div>`
    }
  </article>`,
  )}
</section>`;
}

export function clusterSection(report: Report): Markup | undefined {
  const { cluster } = report;
  if (!cluster) return undefined;
  const fidelity = gpuFidelity(cluster.nodes);
  return markup`
<section id="cluster">
  <h2>Cluster <span class="muted">${cluster.name}, ${cluster.provider}, Kubernetes ${cluster.kubernetes}</span></h2>
  ${fidelity !== undefined && markup`<p><b>GPU</b>: ${fidelity}</p>`}
  <div class="scroll"><table>
    <thead><tr><th>Node</th><th>Role</th><th>Labels</th><th>Taints</th><th class="number">GPUs</th><th>kubelet, runtime</th></tr></thead>
    <tbody>${cluster.nodes.map(
      (node) => markup`
      <tr><td class="id">${node.name}</td><td class="short">${node.role}</td><td>${labelList(node.labels)}</td>
        <td>${node.taints.map((taint) => markup`<code class="line">${taint}</code>`)}</td>
        <td class="number">${node.gpus === 0 ? markup`<span class="muted">0</span>` : node.gpus}</td><td>${node.kubelet}<span class="muted source">${node.runtime}</span></td></tr>`,
    )}
    </tbody>
  </table></div>
  ${
    cluster.capabilities.length > 0 &&
    markup`
  <h3>Capabilities <span class="muted">probed before a check relied on them</span></h3>
  <ul class="capabilities">${cluster.capabilities.map((capability) => markup`<li><span class="${`chip ${capability.present ? 'passed' : 'skipped'}`}">${capability.present ? 'present' : 'absent'}</span><b>${capability.name}</b><span>${capability.evidence}</span></li>`)}</ul>`
  }
</section>`;
}

/** Labels that every node has are folded. */
function labelList(labels: Record<string, string>): Markup {
  const entries = Object.entries(labels).map(([name, value]) => (value === '' ? name : `${name}=${value}`));
  const ordinary = (label: string) =>
    /^(beta\.)?kubernetes\.io\/(arch|os|hostname)=|^node\.kubernetes\.io\/exclude/.test(label);
  const own = entries.filter((label) => !ordinary(label));
  const rest = entries.filter(ordinary);
  const lines = (list: readonly string[]) => list.map((label) => markup`<code class="line">${label}</code>`);
  return markup`${lines(own)}${rest.length > 0 && markup`<details><summary>${rest.length} usual</summary>${lines(rest)}</details>`}`;
}

export function toolsSection(report: Report): Markup | undefined {
  const tools = Object.entries(report.tools);
  if (tools.length === 0) return undefined;
  return markup`
<section id="tools">
  <h2>Tools</h2>
  <dl class="pairs">${tools.map(([name, version]) => markup`<dt>${name}</dt><dd><code>${version}</code></dd>`)}</dl>
</section>`;
}

export function leftoversSection(report: Report): Markup | undefined {
  const leftovers = report.leftovers ?? [];
  if (leftovers.length === 0) return undefined;
  return markup`
<section id="leftovers" class="warning">
  <h2>Leftovers</h2>
  <ul>${leftovers.map((item) => markup`<li><code>${item}</code></li>`)}</ul>
  <p class="hint"><code>npm run sweep</code> removes those with the run's label.</p>
</section>`;
}
