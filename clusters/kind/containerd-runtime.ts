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
 * @param binary absolute path on the nodes of what runs in the place of runc, with runc's command line; without it runc itself
 */
export function runtimeAliasPatch(configToml: string, handler: string, binary?: string): string {
  const found = runcSections(configToml);
  const cri = criPlugin(configToml);
  const sections = found.length > 0 ? found : usualSections(cri);
  if (binary !== undefined) setBinary(sections, binary);
  return sections
    .map(({ before, after, body }) =>
      [`${before}${handler}${after}`, ...body.map((line) => `  ${line}`)].join('\n'),
    )
    .join('\n');
}

interface Section {
  before: string;
  after: string;
  body: string[];
}

/** For a configuration that does not mention runc. */
function usualSections(cri: string): Section[] {
  const before = `[plugins."${cri}".containerd.runtimes.`;
  return [
    { before, after: ']', body: ['runtime_type = "io.containerd.runc.v2"'] },
    { before, after: '.options]', body: ['SystemdCgroup = true'] },
  ];
}

/** An option of the runtime `io.containerd.runc.v2` (containerd, docs/cri/config.md). */
function setBinary(sections: Section[], binary: string): void {
  let options = sections.find(({ after }) => after === '.options]');
  if (options === undefined) {
    options = { before: sections[0]?.before ?? '', after: '.options]', body: [] };
    sections.push(options);
  }
  const others = options.body.filter((line) => !/^BinaryName\s*=/.test(line));
  options.body = [...others, `BinaryName = "${binary}"`];
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

function runcSections(configToml: string): Section[] {
  const sections: Section[] = [];
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
