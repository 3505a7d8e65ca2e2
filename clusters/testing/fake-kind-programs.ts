/** A `docker` and a `kind` for unit tests: scripts on PATH that store containers and images as files. */
import { chmod, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandRunner } from '../../harness/core/command.ts';
import { createCommandRunner } from '../../harness/core/command.ts';

// Containers: files with "cluster<TAB>role<TAB>state". Images of a node: node-images/<node> with lines "ref type digest".
const DOCKER = `#!/bin/sh
cd "$(dirname "$0")"
echo "docker $*" >> calls
case "$1 $2" in
  "info "*) echo 2 ;;
  "ps --all")
    case "$*" in *label=*) ;; *) ls containers; exit ;; esac
    want=$(echo "$*" | sed -n 's/.*cluster=\\([^ ]*\\).*/\\1/p')
    for f in containers/*; do [ -e "$f" ] || continue
      case "$(cat "$f")" in "$want	"*) printf '%s\\t%s\\n' "$(basename "$f")" "$(cut -f 2- "$f")" ;; esac
    done ;;
  "rm --force") shift 3; for c; do rm -f "containers/$c"; done ;;
  "run --rm") echo 'version = 3' ;;
  "logs "*) echo "systemd of $4: Failed to allocate directory watch: Too many open files" ;;
  "image inspect")
    for ref; do :; done
    [ -e "local/$(echo "$ref" | tr / _)" ] || { echo "Error: No such image: $ref" >&2; exit 1; }
    printf '{"Id":"%s"}\\n' "$(cat "local/$(echo "$ref" | tr / _)")" ;;
  "save --output") out=$3; shift 3; for ref; do echo "$ref $(cat "local/$(echo "$ref" | tr / _)")"; done > "$out" ;;
  "inspect --format")
    case "$3" in
      *json*) cat mounts 2>/dev/null || echo '[]' ;;
      *Mounts*) [ -e foreign ] || echo /var/local/kindproof-shared ;;
      *) shift 3; for c; do echo "/$c 2020-01-01T00:00:00Z"; done ;;
    esac ;;
  "exec "*)
    [ "$2" = -i ] && shift
    node=$2; shift 2
    case "$*" in
      *" ls") echo "REF TYPE DIGEST"; cat "node-images/$node" 2>/dev/null; exit 0 ;;
      *"import -") while read -r ref id; do case "$ref" in */*) ;; *) ref="docker.io/library/$ref" ;; esac
          printf '%s t m-%s\\n%s t m-%s\\n' "$ref" "$id" "$id" "$id" >> "node-images/$node"; done ;;
      *install-gpu-runtime*) cat > "runtime-of-$node"; for last; do :; done; echo "$last" > "gpus-of-$node" ;;
      "grep -qF"*) [ ! -e old-runtime ] ;;
      *journalctl*) echo "log of the kubelet of $node" ;;
      *) exit 9 ;;
    esac ;;
  *) echo "the fake docker has no: $*" >&2; exit 64 ;;
esac
`;

const KIND = `#!/bin/sh
cd "$(dirname "$0")"
echo "kind $*" >> calls
case "$1" in
  get) cat kubeconfig-of-kind; exit ;;
esac
cat > config
echo " • Preparing nodes 📦 📦  ..." >&2
printf '%s\\tcontrol-plane\\trunning' "$4" > "containers/$4-control-plane"
printf '%s\\tworker\\trunning' "$4" > "containers/$4-worker"
echo " ✓ Preparing nodes 📦 📦 " >&2
echo " • Starting control-plane 🕹️  ..." >&2
[ -e hang ] && { echo > hanging; exec sleep 30; }
[ -e exists ] && { echo 'ERROR: failed to create cluster: node(s) already exist for a cluster with the name "x"' >&2; exit 1; }
[ -e fail ] && { echo " ✗ Starting control-plane 🕹️" >&2; echo "ERROR: failed to init node" >&2; exit 1; }
echo "apiVersion: v1" > "$6"
`;

export interface FakePrograms {
  folder: string;
  run: CommandRunner;
  kindPath: string;
  /** All command lines so far. */
  calls(): Promise<string[]>;
  /** Writes a file that the programs read, e.g. `fail` or `containers/x`. */
  put(name: string, content?: string): Promise<void>;
  read(name: string): Promise<string>;
}

export async function fakePrograms(): Promise<FakePrograms> {
  const folder = await mkdtemp(join(tmpdir(), 'kindproof-fake-'));
  for (const sub of ['containers', 'node-images', 'local']) await mkdir(join(folder, sub));
  for (const [name, script] of Object.entries({ docker: DOCKER, kind: KIND })) {
    await writeFile(join(folder, name), script);
    await chmod(join(folder, name), 0o755);
  }
  const real = createCommandRunner();
  const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}` };
  return {
    folder,
    kindPath: join(folder, 'kind'),
    run: {
      run: (file, args, options = {}) =>
        real.run(file, args, { ...options, env: { ...options.env, ...env } }),
    },
    calls: async () => (await readFile(join(folder, 'calls'), 'utf8').catch(() => '')).split('\n'),
    put: (name, content = '') => writeFile(join(folder, name), content),
    read: (name) => readFile(join(folder, name), 'utf8'),
  };
}
