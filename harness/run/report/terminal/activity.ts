/** What is running now: phases (several at the same time) and checks that have started and not ended. */

export interface Activity {
  key: string;
  kind: 'phase' | 'check';
  name: string;
  startedAt: number;
  /** Last progress text; empty before the first. */
  text: string;
  /** Without a terminal: when the last line about it was written, and its stage then. */
  printedAt: number;
  printedStage: string;
}

export interface Activities {
  begin(kind: Activity['kind'], key: string, name: string, now: number): Activity;
  progress(key: string, text: string): Activity | undefined;
  end(key: string): void;
  all(): readonly Activity[];
}

export function createActivities(): Activities {
  const active = new Map<string, Activity>();
  return {
    begin(kind, key, name, now) {
      const activity: Activity = {
        key,
        kind,
        name,
        startedAt: now,
        text: '',
        printedAt: now,
        printedStage: '',
      };
      active.set(key, activity);
      return activity;
    },
    progress(key, text) {
      const activity = active.get(key);
      if (activity) activity.text = text;
      return activity;
    },
    end(key) {
      active.delete(key);
    },
    all: () => [...active.values()],
  };
}

/** A text without its numbers: `loading 3 of 7` and `loading 4 of 7` are the same stage. */
export function stageOf(text: string): string {
  return text.replace(/\d+(?:[.,]\d+)?/g, '#');
}
