/** Runtime handlers that exist by name only: what a RuntimeClass needs, without the hardware behind it. Pure. */

const RUNC = /^(\[.*\.runtimes\.)(?:runc|"runc"|'runc')((?:\..+)?\])$/;

/**
 * A containerd configuration patch that adds `handler` as an alias of runc with exactly runc's settings.
 *
 * The settings are copied from the node image's own configuration: an alias that lacks `SystemdCgroup` or
 * `base_runtime_spec` behaves differently from runc, and its keys moved between containerd 1 (version 2:
 * `io.containerd.grpc.v1.cri`) and 2 (version 3: `io.containerd.cri.v1.runtime`). A wrong key does nothing, silently.
 *
 * @param configToml /etc/containerd/config.toml of the node image
 */
export function runtimeAliasPatch(configToml: string, handler: string): string {
  const sections = runcSections(configToml);
  const copied = sections.map(({ before, after, body }) =>
    [`${before}${handler}${after}`, ...body.map((line) => `  ${line}`)].join('\n'),
  );
  if (copied.length > 0) return copied.join('\n');
  const cri = criPlugin(configToml);
  return [
    `[plugins."${cri}".containerd.runtimes.${handler}]`,
    '  runtime_type = "io.containerd.runc.v2"',
    `[plugins."${cri}".containerd.runtimes.${handler}.options]`,
    '  SystemdCgroup = true',
  ].join('\n');
}

/** Where no process may lower its OOM score (no CAP_SYS_RESOURCE), containers start only with this setting. */
export function restrictOomScorePatch(configToml: string): string {
  return `[plugins."${criPlugin(configToml)}"]\n  restrict_oom_score_adj = true`;
}

/** The plugin that runs containers, by configuration version (containerd, docs/cri/config.md). */
function criPlugin(configToml: string): string {
  const version = Number(/^\s*version\s*=\s*(\d+)/m.exec(configToml)?.[1] ?? '2');
  return version >= 3 ? 'io.containerd.cri.v1.runtime' : 'io.containerd.grpc.v1.cri';
}

function runcSections(configToml: string): { before: string; after: string; body: string[] }[] {
  const sections: { before: string; after: string; body: string[] }[] = [];
  let inside = false;
  for (const raw of configToml.split('\n')) {
    const line = raw.trim();
    if (line.startsWith('[')) {
      const match = RUNC.exec(line);
      inside = match !== null;
      if (match) sections.push({ before: match[1] ?? '', after: match[2] ?? '', body: [] });
    } else if (inside && line !== '' && !line.startsWith('#')) {
      sections.at(-1)?.body.push(line);
    }
  }
  return sections;
}
