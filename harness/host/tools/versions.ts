/**
 * The pinned versions of the programs that kindproof runs, and where each may come from. A version upgrade changes this file and
 * `modules`.
 */
import type { Version } from './version.ts';

/** chainsaw is only measured beside kindproof (`npm run bench -- --peers`). */
export type ToolName = 'kind' | 'helm' | 'chainsaw';

/** Operating system and architecture, named as in Go and on the release pages. */
export type Platform = 'linux-amd64' | 'linux-arm64' | 'darwin-amd64' | 'darwin-arm64';

export interface ToolPin {
  name: ToolName;
  /** Without a leading `v`. */
  version: string;
  /** Which versions on PATH behave like the pinned one: as a description and as a test. */
  accepts: { words: string; test: (found: Version) => boolean };
  /** Arguments that print the version. */
  versionArgs: readonly string[];
  release: {
    url: (platform: Platform) => string;
    /** Path of the program in the archive; absent when the download is the program itself. */
    member?: (platform: Platform) => string;
    /**
     * SHA-256 of the download, published with the release. Without a pin for this platform nothing is downloaded: a checksum from the
     * same page as the download proves nothing.
     */
    sha256: Partial<Record<Platform, string>>;
  };
  /**
   * Built in `modules/<name>`, whose go.sum has the checksums of everything that is built. After a new version in that go.mod, run
   * `go mod tidy` there: it asks Go's checksum database.
   */
  module: {
    path: string;
    package: string;
    /** Minimum Go version in that go.mod. */
    go: string;
    /** The version of Go that builds it, when newer ones cannot. Go downloads it as a module and verifies it with its checksum database. */
    toolchain?: string;
    /** Measured on two cores; shown before a build starts. */
    buildSeconds: number;
    /**
     * Linker variables that the project's release build sets.
     *
     * @param versionOf version of another module in the build, such as `v0.37.0`
     */
    variables: (versionOf: (module: string) => string) => Record<string, string>;
  };
}

export const TOOL_PINS: Record<ToolName, ToolPin> = {
  kind: {
    name: 'kind',
    version: '0.33.0',
    // Before 1.0, minor releases of kind change the contract with node images.
    accepts: { words: '0.33.x', test: (found) => found.major === 0 && found.minor === 33 },
    versionArgs: ['version'],
    release: {
      url: (platform) => `https://github.com/kubernetes-sigs/kind/releases/download/v0.33.0/kind-${platform}`,
      sha256: {
        'linux-amd64': 'aee6151561422756b764a4ae28e7f44cda5af5a9eead3cc9985112b1de8d8e0d',
        'linux-arm64': '20022bee6cfcd5086cb7234d218e3454e6090022f2a8f55d1fa7fcf42c3867a2',
        'darwin-amd64': '5a99f26f57246dc9319dd294803313197a0f34d33c525b3ea8b655db5916ece0',
        'darwin-arm64': '0c8c7dbe5e23594a198b786c4bc13dacc101fa6196b0cb0b23a1ca44e61f4b4f',
      },
    },
    module: {
      path: 'sigs.k8s.io/kind',
      package: 'sigs.k8s.io/kind',
      go: '1.24',
      buildSeconds: 10,
      variables: () => ({}),
    },
  },
  helm: {
    name: 'helm',
    version: '3.22.0',
    // Helm 4 changed waiting and its flags; before 3.14 `--take-ownership`, `--hide-notes` and others are missing.
    accepts: { words: '3.14 or a newer 3.x', test: (found) => found.major === 3 && found.minor >= 14 },
    versionArgs: ['version', '--template', '{{.Version}}'],
    release: {
      url: (platform) => `https://get.helm.sh/helm-v3.22.0-${platform}.tar.gz`,
      member: (platform) => `${platform}/helm`,
      sha256: {
        'linux-amd64': '1e4ab49e429626cf6c6958d914248b78c9730803c2751b87627e171dc800e7bb',
        'linux-arm64': 'f14e804dfee240f55525b667488fe9adca349e63e00c9af634c0beb1421ac310',
        'darwin-amd64': 'bd1d09f316558dda23698527859600936fed1371021ce0f2272d66b2fdcfa69c',
        'darwin-arm64': '4c9982a6cdeb458b60258df66b55398ca5b19293f6877faffe2909ad6f23dfe0',
      },
    },
    module: {
      path: 'helm.sh/helm/v3',
      package: 'helm.sh/helm/v3/cmd/helm',
      go: '1.26.0',
      buildSeconds: 80,
      // As in Helm's Makefile. Without the last four, `helm template` assumes Kubernetes 1.20 and rejects charts with a newer
      // `kubeVersion`.
      variables: (versionOf) => {
        const minor = versionOf('k8s.io/client-go').replace(/^v0\./, '').split('.')[0] ?? '';
        return {
          'helm.sh/helm/v3/internal/version.version': 'v3.22.0',
          'helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor': '1',
          'helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor': minor,
          'helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor': '1',
          'helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor': minor,
        };
      },
    },
  },
  chainsaw: {
    name: 'chainsaw',
    version: '0.2.12',
    accepts: { words: '0.2.12', test: (found) => found.text === '0.2.12' },
    versionArgs: ['version'],
    release: {
      url: (platform) =>
        `https://github.com/kyverno/chainsaw/releases/download/v0.2.12/chainsaw_${platform.replace('-', '_')}.tar.gz`,
      member: () => 'chainsaw',
      // Built in any case: its measurements need the same compiler everywhere.
      sha256: {},
    },
    module: {
      path: 'github.com/kyverno/chainsaw',
      package: 'github.com/kyverno/chainsaw',
      go: '1.24.0',
      // It implements an internal interface of the package testing, which has another method since Go 1.26.
      toolchain: 'go1.25.12',
      buildSeconds: 260,
      variables: () => ({ 'github.com/kyverno/chainsaw/pkg/version.BuildVersion': 'v0.2.12' }),
    },
  },
};
