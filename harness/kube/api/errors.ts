import type { ErrorOptionsWithHint } from '../../core/errors.ts';
import { InfrastructureError } from '../../core/errors.ts';

/** The API server rejected or could not serve a request. `status` is the HTTP code, `reason` that of the Status object. */
export class ApiError extends InfrastructureError {
  readonly status: number;
  readonly reason: string;
  constructor(
    what: string,
    status: number,
    reason: string,
    message: string,
    options: ErrorOptionsWithHint = {},
  ) {
    super('E_API', `${what}: ${message === '' ? `${status} ${reason}` : message}`, {
      ...options,
      details: { status, reason },
    });
    this.status = status;
    this.reason = reason;
  }
}

/**
 * Whether the API server refuses because of who asks: the user of the kubeconfig lacks a permission. Admission refuses with the same status
 * because of the object.
 *
 * @param message of the API server; helm quotes it
 */
export function isLackOfPermission(message: string): boolean {
  return /User "[^"]*" cannot \w+ resource|is attempting to grant RBAC permissions not currently held/.test(
    message,
  );
}
