/** A platform that is driven by its own commands, as its description says. What they do is read from the cluster. */
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { CommandError, type CommandResult } from '../../../harness/core/command.ts';
import { CheckFailure, DoesNotFit } from '../../../harness/core/errors.ts';
import { writePrivateFile } from '../../../harness/core/private-files.ts';
import { clip, lastLines } from '../../../harness/core/wording.ts';
import { parseQuantity } from '../../../harness/kube/api/quantity.ts';
import { podTemplateOf } from '../../../harness/kube/manifests/objects.ts';
import type { Lab } from '../../../harness/run/suite/lab.ts';
import type { Release } from '../../../harness/run/suite/release.ts';
import { inShape, parseJsonOf } from '../../../harness/run/suite/shape.ts';
import { kubeconfigIn, privateFolder, readKubeconfig } from './access.ts';
import { filled, readDescription, type Description, type Operation } from './description.ts';
import { valueAt } from './json-path.ts';
import { createdObjects } from './created-objects.ts';
import type {
  Access,
  DeployOptions,
  Platform,
  Right,
  ServerChange,
  ServerPhase,
  ServerState,
} from './platform.ts';
import type { RegistryEntry } from './registry-entry.ts';

const quantity = z.union([z.number(), z.string().regex(/^\d+(\.\d+)?([numkMGTPE]|[KMGTPE]i)?$/)]);

/** Time limit for pods to become ready, in seconds, when a check gives no other one. */
const READY_SECONDS = 120;

interface Deployed {
  entry: RegistryEntry;
  image: string;
  /** Absent until the first deployment has ended well. */
  release?: Release;
  /** uids of the objects that appeared with its deployment and its changes. */
  own: Set<string>;
}

/** What a platform and its copies with other access share. */
interface Workshop {
  lab: Lab;
  description: Description;
  /** The image of the subject, which servers run by default. */
  image: string;
  /** Private, and removed when the check ends. */
  folder: string;
  files: { count: number };
}

/**
 * @param image reference of the image that servers run by default
 * @throws UsageError when the description is wrong
 */
export async function commandPlatform(lab: Lab, file: string, image: string): Promise<Platform> {
  const description = await readDescription(file);
  const folder = await privateFolder(lab);
  const workshop = { lab, description, image, folder, files: { count: 0 } };
  return new CommandPlatform(workshop, lab.access);
}

class CommandPlatform implements Platform {
  readonly #lab: Lab;
  readonly #workshop: Workshop;
  readonly #access: Access;
  readonly #servers = new Map<string, Deployed>();
  /** By namespace: what a command creates is what is new after it, so commands that change something run one after the other. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(workshop: Workshop, access: Access) {
    this.#workshop = workshop;
    this.#lab = workshop.lab;
    this.#access = access;
  }

  get title(): string {
    return this.#workshop.description.name;
  }

  rights(): readonly Right[] {
    const { rights } = this.#workshop.description;
    if (rights) return rights;
    throw this.#lacks('rights');
  }

  as(access: Access): Platform {
    return new CommandPlatform(this.#workshop, access);
  }

  async deploy(
    name: string,
    entry: RegistryEntry,
    { image, timeoutSeconds = READY_SECONDS, volume = false }: DeployOptions = {},
  ): Promise<ServerState> {
    const { namespace } = entry;
    const server = this.#servers.get(name) ?? { entry, image: '', own: new Set() };
    server.entry = entry;
    server.image = image ? referenceOf(image) : this.#workshop.image;
    await this.#lab.record(namespace);
    await this.#changing(name, server, async () => {
      const values = { ...(await this.#about(name, server)), timeout: String(timeoutSeconds) };
      await this.#done('deploy', values, volume ? ['volume'] : []);
      this.#servers.set(name, server);
    });
    return this.#state(name);
  }

  async list(namespace: string): Promise<ServerState[]> {
    const { stdout } = await this.#done('list', { namespace });
    const { list } = this.#workshop.description.read;
    if (!list) throw this.#lacks('operations.list.read');
    const servers = inShape(
      z.array(z.unknown()),
      valueAt(parseJsonOf(stdout, this.#output('list')), list.servers),
      `${list.servers} of ${this.#output('list')}`,
    );
    const names = servers.map((one) =>
      inShape(z.string(), valueAt(one, list.name), `${list.name} of a server in ${this.#output('list')}`),
    );
    const states = names.map(async (name) => {
      const state = await this.#stateIn(name, namespace);
      if (state) return state;
      throw new CheckFailure(
        'E_NO_SERVER',
        `${this.title} lists ${name} in namespace ${namespace}, and \`status\` says that there is no such server`,
      );
    });
    return Promise.all(states);
  }

  async status(name: string): Promise<ServerState | undefined> {
    const server = this.#servers.get(name);
    return server && this.#stateIn(name, server.entry.namespace);
  }

  async logs(name: string): Promise<string> {
    const { stdout, stderr } = await this.#done('logs', this.#place(name));
    return `${stdout}${stderr}`;
  }

  async usage(name: string): Promise<{ cpu: number; memory: number }> {
    const { stdout } = await this.#done('usage', this.#place(name));
    const { usage } = this.#workshop.description.read;
    if (!usage) throw this.#lacks('operations.usage.read');
    const printed = parseJsonOf(stdout, this.#output('usage'));
    const at = (path: string): number =>
      parseQuantity(
        inShape(
          quantity,
          valueAt(printed, path),
          `${path} of ${this.#output('usage')}, a quantity of Kubernetes`,
        ),
      );
    return { cpu: at(usage.cpu), memory: at(usage.memory) };
  }

  async scale(name: string, replicas: number): Promise<ServerState> {
    const server = this.#deployed(name);
    await this.#changing(name, server, () =>
      this.#done('scale', { ...this.#place(name), replicas: String(replicas) }),
    );
    server.entry = { ...server.entry, replicas };
    return this.#state(name);
  }

  async update(
    name: string,
    { image, config = {}, resources }: ServerChange,
    { wait = true } = {},
  ): Promise<void> {
    const server = this.#deployed(name);
    const { entry } = server;
    const changed = {
      ...server,
      entry: { ...entry, env: { ...entry.env, ...config }, resources: resources ?? entry.resources },
      image: image ? referenceOf(image) : server.image,
    };
    await this.#changing(name, server, async () =>
      this.#done('update', await this.#about(name, changed), wait ? [] : ['no-wait']),
    );
    Object.assign(server, { entry: changed.entry, image: changed.image });
  }

  async rollback(name: string, revision?: number): Promise<ServerState> {
    const server = this.#deployed(name);
    const values = this.#place(name);
    await this.#changing(name, server, () =>
      revision === undefined
        ? this.#done('rollback', values)
        : this.#done('rollback', { ...values, revision: String(revision) }, ['revision']),
    );
    return this.#state(name);
  }

  async stop(name: string): Promise<void> {
    await this.#changing(name, this.#deployed(name), () => this.#done('stop', this.#place(name)));
  }

  async delete(name: string, { namespace = false, volumes = false } = {}): Promise<void> {
    const parts = [...(namespace ? ['namespace'] : []), ...(volumes ? ['volumes'] : [])];
    // Also a server that is gone: the platform itself has to say so.
    await this.#done('delete', this.#place(name), parts);
  }

  async cleanup(namespace: string): Promise<string[]> {
    const namesOf = async (): Promise<string[]> => (await this.list(namespace)).map(({ name }) => name);
    const before = await namesOf();
    await this.#done('cleanup', { namespace });
    const after = await namesOf();
    return before.filter((name) => !after.includes(name));
  }

  release(name: string): Release {
    const { release } = this.#deployed(name);
    if (release) return release;
    throw new CheckFailure('E_NO_SERVER', `${this.title} has not deployed ${name}`);
  }

  #deployed(name: string): Deployed {
    const found = this.#servers.get(name);
    if (found) return found;
    throw new CheckFailure('E_NO_SERVER', `${this.title} has not deployed ${name}`);
  }

  #place(name: string): Record<string, string> {
    return { name, namespace: this.#deployed(name).entry.namespace, timeout: String(READY_SECONDS) };
  }

  /** The values of placeholders for a server as it is to be. */
  async #about(name: string, { entry, image }: Deployed): Promise<Record<string, string>> {
    const { folder, files } = this.#workshop;
    files.count += 1;
    const file = join(folder, `entry-${files.count}.json`);
    await writePrivateFile(file, JSON.stringify(entry, null, 2));
    return { name, namespace: entry.namespace, entry: file, image, timeout: String(READY_SECONDS) };
  }

  /** Runs a command that changes a server, and takes what is new in the namespace for the server's own. */
  async #changing(name: string, server: Deployed, change: () => Promise<unknown>): Promise<void> {
    const { namespace } = server.entry;
    const turn = (this.#last.get(namespace) ?? Promise.resolve()).then(async () => {
      const { kube } = this.#lab;
      const before = new Set((await createdObjects(kube, namespace)).map(({ metadata }) => metadata.uid));
      await change();
      const objects = (await createdObjects(kube, namespace)).filter(
        ({ metadata: { uid = '' } }) => server.own.has(uid) || !before.has(uid),
      );
      server.own = new Set(objects.flatMap(({ metadata }) => metadata.uid ?? []));
      if (!objects.some((object) => podTemplateOf(object)))
        throw new CheckFailure(
          'E_NOTHING_CREATED',
          `${this.title} reports ${name} as deployed, and namespace ${namespace} has no workload of it`,
        );
      if (server.release) server.release.replaceObjects(objects);
      else server.release = await this.#lab.adopt({ name, namespace, objects });
    });
    this.#last.set(
      namespace,
      turn.catch(() => {}),
    );
    await turn;
  }

  async #state(name: string): Promise<ServerState> {
    return this.#present(name, await this.#stateIn(name, this.#deployed(name).entry.namespace));
  }

  #present(name: string, state: ServerState | undefined): ServerState {
    if (state) return state;
    throw new CheckFailure('E_NO_SERVER', `${this.title} says that there is no server ${name}`);
  }

  /** `undefined` when the platform says that there is no such server. */
  async #stateIn(name: string, namespace: string): Promise<ServerState | undefined> {
    const { read, absent, phases } = this.#workshop.description;
    const result = await this.#run('status', { name, namespace });
    if (absent.includes(result.exitCode)) return undefined;
    this.#rejectFailure('status', result);
    const printed = parseJsonOf(result.stdout, this.#output('status'));
    const at = <T>(path: string, shape: z.ZodType<T>): T =>
      inShape(shape, valueAt(printed, path), `${path} of ${this.#output('status')}`);
    const word = at(read.status.phase, z.string());
    const found = Object.entries(phases).find(([, names]) =>
      names.some((one) => one.toLowerCase() === word.toLowerCase()),
    );
    if (!found)
      throw new DoesNotFit(
        `the description of ${this.title} does not say in \`phases\` what "${word}" means`,
      );
    return {
      name,
      namespace,
      phase: found[0] as ServerPhase,
      wanted: at(read.status.wanted, z.number()),
      ready: at(read.status.ready, z.number()),
      ...(read.status.available !== undefined && { available: at(read.status.available, z.number()) }),
      revision: read.status.revision === undefined ? 0 : at(read.status.revision, z.coerce.number()),
    };
  }

  /** Runs a command that has to succeed. */
  async #done(
    operation: Operation,
    values: Record<string, string>,
    parts: readonly string[] = [],
  ): Promise<CommandResult> {
    const result = await this.#run(operation, values, parts);
    this.#rejectFailure(operation, result);
    return result;
  }

  #rejectFailure(operation: Operation, { exitCode, stdout, stderr }: CommandResult): void {
    if (this.#workshop.description.operations[operation]?.exit.includes(exitCode)) return;
    throw new CheckFailure(
      'E_PLATFORM_COMMAND',
      `${this.title}: \`${operation}\` exited with ${exitCode}: ${saidBy(`${stdout}${stderr}`)}`,
    );
  }

  async #run(
    operation: Operation,
    values: Record<string, string>,
    parts: readonly string[] = [],
  ): Promise<CommandResult> {
    const { description } = this.#workshop;
    const command = description.operations[operation];
    if (!command) throw this.#lacks(`operations.${operation}`);
    const more = parts.flatMap((part) => {
      const words = command.with[part];
      if (words) return words;
      throw this.#lacks(`operations.${operation}.with.${part}`);
    });
    const kubeconfig = await this.#kubeconfig();
    const line = filled([...description.program, ...command.run, ...more], {
      ...values,
      kubeconfig,
      context: this.#access.context,
    });
    const [program = '', ...args] = line;
    try {
      return await this.#lab.command.run(program, args, {
        cwd: dirname(description.file),
        // A platform that ignores its option must not reach another cluster.
        env: {
          ...description.env,
          KUBECONFIG: kubeconfig,
          ...this.#access.env,
          ...this.#lab.platform?.env,
        },
        timeoutMs: (this.#access.limitSeconds ?? description.limitSeconds) * 1000,
        reject: false,
      });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new CheckFailure(
        'E_PLATFORM_COMMAND',
        `${this.title}: \`${operation}\` ${error.message.split('\n')[0]?.replace(/^`.*` /, '') ?? 'failed'}: ${saidBy(`${error.result.stdout}${error.result.stderr}`)}`,
        { cause: error },
      );
    }
  }

  async #kubeconfig(): Promise<string> {
    const { kubeconfig } = this.#access;
    if (kubeconfig !== this.#lab.access.kubeconfig) return kubeconfig;
    return kubeconfigIn(this.#workshop.folder, 'kubeconfig', await readKubeconfig(kubeconfig));
  }

  #output(operation: Operation): string {
    return `the output of \`${operation}\` of ${this.title}`;
  }

  #lacks(entry: string): DoesNotFit {
    return new DoesNotFit(`the description of ${this.title} has no ${entry}`, {
      hint: 'Add the entry if the platform offers it; docs/testing-a-platform.md explains it.',
    });
  }
}

function referenceOf({ repository, tag }: { repository: string; tag: string }): string {
  return `${repository}:${tag}`;
}

function saidBy(output: string): string {
  const said = lastLines(output.trim(), 20).replace(/\s+/g, ' ');
  return said === '' ? 'it said nothing' : clip(said, 1200);
}
