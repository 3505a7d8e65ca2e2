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
