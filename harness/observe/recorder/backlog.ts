/** Compares what the API server lists with what the watch has delivered. */
import type { KubeObject } from '../../kube/api/types.ts';

interface Received {
  object: KubeObject;
  deleted: boolean;
}

/** A change that the watch has yet to deliver. */
export interface Wanted {
  title: string;
  arrived(): boolean;
}

export class Backlog {
  readonly #received = new Map<string, Received>();

  received(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void {
    this.#received.set(keyOf(object), { object, deleted: type === 'DELETED' });
  }

  /** Objects that exist as far as the watch knows. To be asked **before** listing: what comes later says nothing about the list. */
  alive(): KubeObject[] {
    return [...this.#received.values()].filter((r) => !r.deleted).map((r) => r.object);
  }

  /** What the watch has yet to deliver: newer states than it knows, and the ends of objects that the list no longer has. */
  missing(aliveBefore: readonly KubeObject[], listed: readonly KubeObject[]): Wanted[] {
    const present = new Set(listed.map(keyOf));
    const states = listed.map((object) => ({
      title: titleOf(object),
      arrived: () => this.#hasSeen(object),
    }));
    const ends = aliveBefore
      .filter((object) => !present.has(keyOf(object)))
      .map((object) => ({
        title: titleOf(object),
        arrived: () => this.#received.get(keyOf(object))?.deleted === true,
      }));
    return [...states, ...ends].filter((wanted) => !wanted.arrived());
  }

  #hasSeen(object: KubeObject): boolean {
    const received = this.#received.get(keyOf(object));
    if (!received) return false;
    return received.deleted || versionOf(received.object) >= versionOf(object);
  }
}

function keyOf(object: KubeObject): string {
  return object.metadata.uid ?? titleOf(object);
}

function titleOf(object: KubeObject): string {
  return `${object.kind} ${object.metadata.name}`;
}

/** Versions of one kind are numbers that grow (Kubernetes API concepts, "Resource versions"). */
function versionOf(object: KubeObject): bigint {
  const version = object.metadata.resourceVersion ?? '';
  return /^\d+$/.test(version) ? BigInt(version) : 0n;
}
