/** How far an update takes a Deployment beyond and below its replicas. */
import { field } from './objects.ts';

export interface UpdateMargins {
  /** Pods that it starts beyond the replicas before it ends old ones. */
  surge: number;
  /** Pods that may be missing meanwhile. */
  unavailable: number;
}

/**
 * As the Deployment controller reckons (apps/v1, ResolveFenceposts): both are 25 % by default, a percentage of maxSurge is rounded up, one
 * of maxUnavailable down, and with both 0 one pod may be missing. Recreate ends all pods first.
 *
 * @param strategy `spec.strategy` of the Deployment, rendered or live
 */
export function updateMargins(strategy: unknown, replicas: number): UpdateMargins {
  if (field(strategy, 'type') === 'Recreate') return { surge: 0, unavailable: replicas };
  const rolling = field(strategy, 'rollingUpdate');
  const surge = amount(field(rolling, 'maxSurge'), replicas, Math.ceil);
  const unavailable = amount(field(rolling, 'maxUnavailable'), replicas, Math.floor);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

function amount(value: unknown, replicas: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value;
  return round((Number.parseInt(typeof value === 'string' ? value : '25%', 10) * replicas) / 100);
}
