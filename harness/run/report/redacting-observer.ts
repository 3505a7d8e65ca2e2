import type { Redact } from '../../core/redact.ts';
import { redactDeep } from '../../core/redact.ts';
import type { RunEvent, RunObserver } from './events.ts';

/** An observer that never learns a secret: for terminals and CI logs, which are kept as well. */
export function redactingObserver(observer: RunObserver, redact: Redact): RunObserver {
  return {
    onEvent(event: RunEvent) {
      observer.onEvent(redactDeep(event, redact));
    },
    close() {
      observer.close?.();
    },
  };
}
