/** A platform that drives the subject's chart with helm: one release for each server. */
import { CheckFailure, DoesNotFit } from '../../../harness/core/errors.ts';
import { withLostTime } from '../../../harness/core/lost-time.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { handleOf } from '../server.ts';
import type { DeployOptions, Platform, Right, ServerChange, ServerState } from './platform.ts';
import { settingsOf, type RegistryEntry } from './registry-entry.ts';

interface Deployed {
  release: Release;
  /** The values of its entry, and those that were changed since, as for `--set`. */
  set: string[];
}

export function helmPlatform(lab: Lab): Platform {
  return new HelmPlatform(lab);
}

class HelmPlatform implements Platform {
  readonly title = 'helm';
  readonly #lab: Lab;
  readonly #servers = new Map<string, Deployed>();

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  rights(): readonly Right[] {
    throw lacks('needs what the objects of the chart need');
  }

  as(): Platform {
    throw lacks('has the access of the run');
  }

  async deploy(
    name: string,
    entry: RegistryEntry,
    { image, timeoutSeconds, volume = false }: DeployOptions = {},
  ): Promise<ServerState> {
    const { namespace } = entry;
    const set = [
      ...settingsOf(entry),
      ...pairsOf(image ? { image } : {}),
      ...(volume ? ['persistence.enabled=true'] : []),
    ];
    const known = this.#servers.get(name);
    if (known) {
      known.set = set;
      await this.#change(name, {});
      return this.#state(name);
    }
    const install = (options = {}): Promise<Release> =>
      this.#lab.install({ releaseName: name, namespace, set, ...options });
    try {
      const release = await (timeoutSeconds === undefined
        ? install()
        : // By the clock, as helm counts the limit of its user, whatever else the machine does.
          withLostTime(undefined, () => install({ timeoutMs: timeoutSeconds * 1000 })));
      this.#servers.set(name, { release, set });
    } catch (error) {
      // As `helm install` does with the option to undo what failed.
      await this.#lab.helm.uninstall({ releaseName: name, namespace, wait: true, ignoreNotFound: true });
      throw error;
    }
    return this.#state(name);
  }

  usage(): Promise<{ cpu: number; memory: number }> {
    throw lacks('has no command for the usage of resources');
  }

  logs(): Promise<string> {
    throw lacks('has no command for logs');
  }

  async list(namespace: string): Promise<ServerState[]> {
    const releases = await this.#lab.helm.list(namespace);
    const known = releases.filter((release) => this.#servers.has(release.name));
    return Promise.all(known.map((release) => this.#state(release.name)));
  }

  async status(name: string): Promise<ServerState | undefined> {
    return (await this.#exists(name)) ? this.#state(name) : undefined;
  }

  async scale(name: string, replicas: number): Promise<ServerState> {
    await this.#change(name, { replicaCount: String(replicas) });
    return this.#state(name);
  }

  async update(name: string, change: ServerChange, { wait = true } = {}): Promise<void> {
    const pairs = pairsOf(change).map(
      (pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const,
    );
    await this.#change(name, Object.fromEntries(pairs), wait);
  }

  async rollback(name: string, revision?: number): Promise<ServerState> {
    const { release } = this.#deployed(name);
    const { namespace } = release;
    const ref = { releaseName: name, namespace };
    await this.#lab.helm.rollback(ref, revision === undefined ? {} : { revision });
    release.replaceObjects(await this.#lab.helm.getManifest(ref));
    await release.rolledOut();
    return this.#state(name);
  }

  async stop(name: string): Promise<void> {
    await this.scale(name, 0);
  }

  async delete(name: string, { namespace: andNamespace = false, volumes = false } = {}): Promise<void> {
    if (andNamespace) throw lacks('does not delete namespaces');
    if (volumes) throw lacks('has no option to delete volumes: the chart decides what stays');
    if (!(await this.#exists(name))) throw new CheckFailure('E_NO_SERVER', `there is no server ${name}`);
    const { namespace } = this.#deployed(name).release;
    await this.#lab.helm.uninstall({ releaseName: name, namespace, wait: true });
  }

  async cleanup(namespace: string): Promise<string[]> {
    const stopped = (await this.list(namespace)).filter(({ phase }) => phase === 'stopped');
    for (const { name } of stopped) await this.delete(name);
    return stopped.map(({ name }) => name);
  }

  release(name: string): Release {
    return this.#deployed(name).release;
  }

  #deployed(name: string): Deployed {
    const found = this.#servers.get(name);
    if (found) return found;
    throw new CheckFailure('E_NO_SERVER', `there is no server ${name}`);
  }

  /** Whether helm knows the release. */
  async #exists(name: string): Promise<boolean> {
    const known = this.#servers.get(name);
    if (!known) return false;
    const { namespace } = known.release;
    return (await this.#lab.helm.status({ releaseName: name, namespace })) !== undefined;
  }

  /** Further values, beside those of earlier changes. */
  async #change(name: string, pairs: Record<string, string>, rollout = true): Promise<void> {
    const server = this.#deployed(name);
    const earlier = server.set.filter((pair) => !(pair.slice(0, pair.indexOf('=')) in pairs));
    server.set = [...earlier, ...Object.entries(pairs).map(([key, value]) => `${key}=${value}`)];
    await this.#lab.upgrade(server.release, { set: server.set, rollout });
  }

  async #state(name: string): Promise<ServerState> {
    const { release } = this.#deployed(name);
    const { spec, status } = await handleOf(release).read();
    const info = await this.#lab.helm.status({ releaseName: name, namespace: release.namespace });
    const wanted = spec.replicas ?? 1;
    const ready = status?.readyReplicas ?? 0;
    const phase = wanted === 0 ? 'stopped' : ready >= wanted ? 'running' : 'pending';
    return { name, namespace: release.namespace, phase, wanted, ready, revision: info?.revision ?? 0 };
  }
}

/** The values of the chart that a change stands for, as for `--set`. */
function pairsOf({ image, config = {}, resources }: ServerChange): string[] {
  return [
    ...(image ? [`image.repository=${image.repository}`, `image.tag=${image.tag}`] : []),
    ...Object.entries(config).map(([key, value]) => `config.${key}=${value}`),
    ...Object.entries(resources ?? {}).flatMap(([which, quantities]) =>
      Object.entries(quantities).map(([name, quantity]) => `resources.${which}.${name}=${quantity}`),
    ),
  ];
}

function lacks(what: string): DoesNotFit {
  return new DoesNotFit(`helm ${what}`);
}
