/** The objects that a watch has delivered, so that a new list can be delivered as changes. */
import type { KubeObject } from './types.ts';

export interface ObjectChange {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: KubeObject;
}

export class KnownObjects {
  readonly #objects = new Map<string, KubeObject>();

  /**
   * Records a change from the stream.
   *
   * @returns the event type to deliver; `undefined` for a change that was already delivered (a resumed stream can repeat its last change)
   */
  accept(type: ObjectChange['type'], object: KubeObject): ObjectChange['type'] | undefined {
    const key = nameKey(object);
    const before = this.#objects.get(key);
    if (type === 'DELETED') {
      this.#objects.delete(key);
      return before ? 'DELETED' : undefined;
    }
    this.#objects.set(key, object);
    if (!before || before.metadata.uid !== object.metadata.uid) return 'ADDED';
    return before.metadata.resourceVersion === object.metadata.resourceVersion ? undefined : 'MODIFIED';
  }

  /** Replaces all objects by a new list and returns the changes, deletions first: a new object may have the name of a deleted one. */
  replaceAll(items: readonly KubeObject[]): ObjectChange[] {
    const listed = new Map(items.map((item) => [nameKey(item), item]));
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

function nameKey(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
