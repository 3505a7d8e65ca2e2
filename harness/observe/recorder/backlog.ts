/** Finds what the API server lists and the watch has not delivered yet. */
import { uidOf } from '../../kube/api/objects.ts';
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
    this.#received.set(uidOf(object), { object, deleted: type === 'DELETED' });
  }

  /** Objects that exist according to the watch. Call it **before** listing: objects that are delivered later may be missing in the list. */
  alive(): KubeObject[] {
    return [...this.#received.values()].filter((r) => !r.deleted).map((r) => r.object);
  }

  /** Changes that the watch has yet to deliver: newer states, and deletions of objects that are no longer listed. */
  missing(aliveBefore: readonly KubeObject[], listed: readonly KubeObject[]): Wanted[] {
    const present = new Set(listed.map(uidOf));
    const states = listed.map((object) => ({
      title: titleOf(object),
      arrived: () => this.#hasSeen(object),
    }));
    const ends = aliveBefore
      .filter((object) => !present.has(uidOf(object)))
      .map((object) => ({
        title: titleOf(object),
        arrived: () => this.#received.get(uidOf(object))?.deleted === true,
      }));
    return [...states, ...ends].filter((wanted) => !wanted.arrived());
  }

  #hasSeen(object: KubeObject): boolean {
    const received = this.#received.get(uidOf(object));
    if (!received) return false;
    return received.deleted || versionOf(received.object) >= versionOf(object);
  }
}

function titleOf(object: KubeObject): string {
  return `${object.kind} ${object.metadata.name}`;
}

/** Resource versions of one kind are increasing numbers (Kubernetes API concepts, "Resource versions"). */
function versionOf(object: KubeObject): bigint {
  const version = object.metadata.resourceVersion ?? '';
  return /^\d+$/.test(version) ? BigInt(version) : 0n;
}
