/**
 * Room on the nodes for the releases that checks install by themselves. Without it, checks side by side ask for more than the nodes have;
 * their pods stay Pending, and the subject is not at fault.
 */
import {
  type Clock,
  type Observation,
  orInterrupted,
  seconds,
  systemClock,
  throwIfAborted,
  waitFor,
} from '../../core/deadline.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { count } from '../../core/wording.ts';
import type { KubeClient } from '../../kube/api/client.ts';
import { formatBytes } from '../../kube/api/quantity.ts';
import type { Node, Pod } from '../../kube/api/types.ts';
import { fitsHalf, hasRoom, isOf, type Tenant } from './node-space.ts';
import { type DemandedPod, times, total, withoutSurge } from './release-demand.ts';

/** How long a check waits at most. All that run beside it may have to end first. */
export const ROOM_MS = 1_800_000;
/** The same when nobody has a reservation: pods that are going to end have done so by then. */
const NOBODY_MS = 180_000;
/** A shorter wait is not worth a sentence. */
const WORTH_SAYING_MS = 3000;

/** What pods there will be, and where. */
export interface Claim {
  /** The pods of one release on these nodes. */
  pods: (nodes: readonly Node[]) => Promise<readonly DemandedPod[]>;
  /** The namespaces of the claim until now. */
  namespaces: () => readonly string[];
}

export interface RoomRequest extends Claim {
  /** `toolman/T-46`, for the log. */
  by: string;
  /** Name of the suite, for messages. */
  suite: string;
  /** Releases at the same time. */
  releases: number;
  /** The release that checks share: it is on the cluster all the time, or going to be. */
  shared?: Claim | undefined;
}

export interface RoomDeps {
  kube: Pick<KubeClient, 'list'>;
  /** Whether a namespace was created by the run: its pods come and go. */
  isOfRun: (namespace: string) => boolean;
  log: Log;
  signal: AbortSignal;
  clock?: Clock;
}

/** Until `end`, nobody else gets the room. */
export interface Reservation {
  /** `waited 12 s for room on the nodes: 1500m cpu for one release`; absent when there was no wait to speak of. */
  waited?: string;
  /** How many releases the nodes have room for, once, when that is less than what runs at the same time. */
  notice?: string;
  end: () => void;
}

/** What somebody waits for, or holds. */
interface Share {
  demand: readonly DemandedPod[];
  releases: number;
}

interface Held extends Share {
  namespaces: () => readonly string[];
}

interface Asked {
  nodes: readonly Node[];
  /** The pods of one release. */
  one: readonly DemandedPod[];
  /** Those of the shared release. */
  shared: readonly DemandedPod[];
}

/** The room on one cluster, for all suites of a worker. Requests are granted in the order in which they come, so that none starves. */
export class Room {
  readonly #concurrency: number;
  readonly #held = new Set<Held>();
  /** Since when nobody has a reservation. */
  #emptySince = 0;
  #nodes: Promise<Node[]> | undefined;
  /** Fulfilled when all earlier requests have been granted. */
  #earlier: Promise<void> = Promise.resolve();
  #isNoticed = false;

  /** @param concurrency how many checks run at the same time at most */
  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /**
   * Waits until the nodes have room for the releases beside those of all others. What does not fit even when nobody else is there gets its
   * reservation at once: the check judges it. So does a request whose demand cannot be known.
   *
   * @throws InterruptedError
   */
  async reserve(request: RoomRequest, deps: RoomDeps): Promise<Reservation> {
    const { log, signal, clock = systemClock } = deps;
    const { by, namespaces } = request;
    const arrived = clock.now();
    const { earlier, granted } = this.#enqueue();
    try {
      const asked = this.#ask(request, deps);
      await orInterrupted(earlier, signal);
      const { share, notice, failure } = await this.#grant(await asked, request, { ...deps, clock, arrived });
      throwIfAborted(signal);
      const held: Held = { ...share, namespaces };
      this.#held.add(held);
      const waitedMs = clock.now() - arrived;
      const waited = `waited ${seconds(waitedMs)} for room on the nodes: ${shareText(share)}`;
      const isLong = waitedMs >= WORTH_SAYING_MS;
      if (failure !== undefined) log.warn('started without room on the nodes', { by, reason: failure });
      else if (isLong) log.info(waited, { by });
      return {
        ...(isLong && { waited }),
        ...(notice !== undefined && { notice }),
        end: () => {
          if (this.#held.delete(held) && this.#held.size === 0) this.#emptySince = clock.now();
        },
      };
    } finally {
      granted();
    }
  }

  #enqueue(): { earlier: Promise<void>; granted: () => void } {
    let granted = (): void => {};
    const own = new Promise<void>((resolve) => (granted = resolve));
    const earlier = this.#earlier;
    this.#earlier = earlier.then(() => own);
    return { earlier, granted };
  }

  /** No demand when it cannot be known: the check reports the cause itself. */
  async #ask({ by, pods, shared }: RoomRequest, { kube, log, signal }: RoomDeps): Promise<Asked> {
    try {
      const nodes = await (this.#nodes ??= this.#list(kube, signal));
      return { nodes, one: await pods(nodes), shared: withoutSurge((await shared?.pods(nodes)) ?? []) };
    } catch (error) {
      log.info('no room is reserved', { by, reason: messageOf(error) });
      return { nodes: [], one: [], shared: [] };
    }
  }

  async #list(kube: RoomDeps['kube'], signal: AbortSignal): Promise<Node[]> {
    try {
      return await kube.list('Node', { signal });
    } catch (error) {
      this.#nodes = undefined;
      throw error;
    }
  }

  async #grant(
    { nodes, one, shared }: Asked,
    { by, suite, releases, shared: sharedClaim }: RoomRequest,
    { kube, isOfRun, signal, clock, arrived }: RoomDeps & { clock: Clock; arrived: number },
  ): Promise<{ share: Share; notice?: string | undefined; failure?: string }> {
    let share = shareOf(one, releases, by);
    const held = [...this.#held].flatMap(({ demand }) => demand);
    if (nodes.length === 0 || fitsHalf(nodes, [...held, ...shared, ...share.demand])) return { share };
    let notice: string | undefined;
    let isFirst = true;
    const look = async (): Promise<Observation<void>> => {
      const pods = await kube.list('Pod', { signal });
      const beside = { demand: shared, namespaces: new Set(sharedClaim?.namespaces()) };
      if (isFirst) {
        isFirst = false;
        const stays = pods.filter((pod) => isOf(beside, pod) || isPermanent(pod, isOfRun));
        const fitsAlone = ({ demand }: Share): boolean => hasRoom(nodes, stays, [beside], demand);
        notice = this.#noticeOf(one, suite, fitsAlone);
        const possible = reductions(one, releases, by).find(fitsAlone);
        if (!possible) return { done: true, value: undefined };
        share = possible;
      }
      if (hasRoom(nodes, pods, [beside, ...[...this.#held].map(tenantOf)], share.demand))
        return { done: true, value: undefined };
      const seen = `${count(this.#held.size, 'reservation')}, ${count(pods.length, 'pod')}`;
      const idleMs = clock.now() - Math.max(this.#emptySince, arrived);
      const isInVain = this.#held.size === 0 && idleMs >= NOBODY_MS;
      return { done: false, seen, ...(isInVain && { hopeless: 'no check has a reservation' }) };
    };
    try {
      const timeoutMs = ROOM_MS - (clock.now() - arrived);
      await waitFor({ what: 'room on the nodes', timeoutMs, intervalMs: 1000, clock, signal, look });
      return { share, notice };
    } catch (error) {
      return { share, notice, failure: messageOf(error) };
    }
  }

  /** Once: how many releases fit at a time, when more might run. */
  #noticeOf(
    one: readonly DemandedPod[],
    suite: string,
    fitsAlone: (share: Share) => boolean,
  ): string | undefined {
    if (this.#isNoticed) return undefined;
    this.#isNoticed = true;
    const each = [one, withoutSurge(one)].find((pods) => fitsAlone(shareOf(pods, 1, suite)));
    let room = 0;
    while (each && room < this.#concurrency && fitsAlone(shareOf(each, room + 1, suite))) room += 1;
    if (room === this.#concurrency) return undefined;
    const what = `of ${suite} (${amountText(one)} each)`;
    return room === 0
      ? `the nodes have no room for a further release ${what}`
      : `the nodes have room for ${count(room, 'release')} at a time ${what}: checks that install their own wait for it`;
  }
}

/** What may be waited for, the best first, as some of it may never fit: updates without a pod more, fewer releases. */
function reductions(one: readonly DemandedPod[], most: number, by: string): Share[] {
  const numbers = Array.from({ length: most }, (_, i) => most - i);
  return numbers.flatMap((releases) => [one, withoutSurge(one)].map((pods) => shareOf(pods, releases, by)));
}

function shareOf(one: readonly DemandedPod[], releases: number, by: string): Share {
  return { demand: times(one, releases, by), releases };
}

function tenantOf({ demand, namespaces }: Held): Tenant {
  return { demand, namespaces: new Set(namespaces()) };
}

function isPermanent({ metadata }: Pod, isOfRun: RoomDeps['isOfRun']): boolean {
  return metadata.deletionTimestamp === undefined && !isOfRun(metadata.namespace ?? '');
}

/** `1500m cpu and 384Mi memory for one release`. */
function shareText({ demand, releases }: Share): string {
  return `${amountText(demand)} for ${releases === 1 ? 'one release' : count(releases, 'release')}`;
}

/** What the pods ask for that are there outside of updates. */
function amountText(demand: readonly DemandedPod[]): string {
  const pods = withoutSurge(demand);
  const { cpu, memory } = total(pods);
  const parts = [cpu > 0 && `${cpu}m cpu`, memory > 0 && `${formatBytes(memory)} memory`];
  return parts.filter((part) => part !== false).join(' and ') || count(pods.length, 'pod');
}
