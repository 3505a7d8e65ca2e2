/** containerd configuration patches for runtime handlers: aliases of runc, so that a RuntimeClass works without special hardware. Pure. */

const RUNC = /^(\[.*\.runtimes\.)(?:runc|"runc"|'runc')((?:\..+)?\])$/;

/**
 * A containerd configuration patch that adds `handler` as an alias of runc, with the same settings.
 *
 * The settings are copied from the node image's configuration: without `SystemdCgroup` or `base_runtime_spec` an alias behaves differently
 * from runc, and the keys differ between containerd 1 (version 2: `io.containerd.grpc.v1.cri`) and 2 (version 3:
 * `io.containerd.cri.v1.runtime`). containerd ignores wrong keys silently.
 *
 * @param configToml /etc/containerd/config.toml of the node image
 * @param binary absolute path on the nodes of a replacement for runc, with runc's command line
 */
export function runtimeAliasPatch(configToml: string, handler: string, binary?: string): string {
  const found = runcSections(configToml);
  const cri = criPlugin(configToml);
  const sections = found.length > 0 ? found : defaultSections(cri);
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

/** For a configuration without runc sections. */
function defaultSections(cri: string): Section[] {
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

/** Containers need this setting to start where no process may lower its OOM score (no CAP_SYS_RESOURCE). */
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
