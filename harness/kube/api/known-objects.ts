/** What a watch has told so far, so that a new list can be told as the difference. */
import type { KubeObject } from './types.ts';

export interface ObjectChange {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: KubeObject;
}

export class KnownObjects {
  readonly #objects = new Map<string, KubeObject>();

  /**
   * Takes note of a change from the stream.
   *
   * @returns how to tell it, `undefined` when it has been told before (a stream that goes on may repeat its last change)
   */
  accept(type: ObjectChange['type'], object: KubeObject): ObjectChange['type'] | undefined {
    const key = keyOf(object);
    const before = this.#objects.get(key);
    if (type === 'DELETED') {
      this.#objects.delete(key);
      return before ? 'DELETED' : undefined;
    }
    this.#objects.set(key, object);
    if (!before || before.metadata.uid !== object.metadata.uid) return 'ADDED';
    return before.metadata.resourceVersion === object.metadata.resourceVersion ? undefined : 'MODIFIED';
  }

  /** Takes a whole list as the new truth and gives what changed since: deletions first, as one object may replace another. */
  replaceAll(items: readonly KubeObject[]): ObjectChange[] {
    const listed = new Map(items.map((item) => [keyOf(item), item]));
    const changes: ObjectChange[] = [];
    for (const [key, object] of this.#objects) {
      const now = listed.get(key);
      if (now && now.metadata.uid === object.metadata.uid) continue;
      this.#objects.delete(key);
      changes.push({ type: 'DELETED', object });
    }
    for (const object of items) {
      const type = this.accept('MODIFIED', object);
      if (type !== undefined) changes.push({ type, object });
    }
    return changes;
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
