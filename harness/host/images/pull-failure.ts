/** Why an image cannot be pulled, from what docker printed. */
import { InfrastructureError } from '../../core/errors.ts';

/** Why an image cannot be pulled. The difference decides what happens next: docs/decisions/0030-images-from-registries.md. */
export type PullProblem =
  /** The registry has no image of this name and tag. */
  | 'missing'
  /** The registry wants other credentials, or none help. Docker Hub also says so for a repository that does not exist. */
  | 'refused'
  /** The content is not what its digest promises. */
  | 'corrupt'
  /** The registry answers, but does not deliver at the moment. */
  | 'busy'
  /** Nothing answers, or something that is no registry, such as the login page of a network. */
  | 'unreachable'
  /** Anything else, for example no image for this architecture. */
  | 'other';

export interface PullFailure {
  problem: PullProblem;
  /** One sentence, in the words of engine and registry. */
  reason: string;
}

/** Pauses before the second and third attempt. docker does not tell what a registry said in `Retry-After`. */
export const PAUSES_MS = [2000, 8000];

/**
 * In this order. The words of the registry come before those of the network, because the latter are part of many sentences. Source: what
 * dockerd 26 and its BuildKit print in `npm run registry-path`. An engine with containerd's image store has other words; those here were
 * not seen in a run.
 */
const RULES: readonly [PullProblem, RegExp][] = [
  [
    'corrupt',
    /verification failed for digest|does not match digest|unexpected commit digest|digest mismatch|content digest .*mismatch/i,
  ],
  ['busy', /toomanyrequests|too many requests|\b429\b/i],
  [
    'refused',
    /unauthorized|authentication required|no basic auth credentials|denied|forbidden|\b40[13] (?:Unauthorized|Forbidden)|incorrect username or password/i,
  ],
  [
    'missing',
    /manifest unknown|name unknown|repository name not known|no such manifest|(?:status code|status from [A-Z]+ request to \S+:) 404|404 Not Found|: not found\b| not found: /i,
  ],
  [
    'unreachable',
    /no such host|server misbehaving|name resolution|connection refused|no route to host|network is unreachable|i\/o timeout|deadline exceeded|Client\.Timeout|handshake timeout|x509|certificate|gave HTTP response to HTTPS client|first record does not look like a TLS handshake|proxyconnect|error parsing HTTP|invalid character|did not answer|did not end/i,
  ],
  [
    'busy',
    /\b50[0234]\b|HTTP status: 5\d\d|unexpected EOF|\bEOF\b|connection reset|broken pipe|INTERNAL_ERROR/i,
  ],
];

/** Classifies what docker printed about a failed pull. */
export function pullProblemOf(message: string): PullProblem {
  return RULES.find(([, pattern]) => pattern.test(message))?.[0] ?? 'other';
}

/** What the user can do about it. */
export function pullHint(ref: string, problem: PullProblem): string {
  const host = registryOf(ref);
  const hints: Record<PullProblem, string> = {
    missing: 'Check name and tag of the image.',
    refused: `Check the name; if the image is private, run \`docker login ${host}\`. Stored credentials that have expired: \`docker logout ${host}\`.`,
    corrupt: `A proxy or mirror between this machine and ${host} changes or damages what it delivers. Do not use the image.`,
    busy: `Run again later. If ${host} limits anonymous pulls, run \`docker login ${host}\`, or use a registry mirror.`,
    unreachable: `Check network, proxy and DNS: \`docker pull ${ref}\`. An image that the engine already has is not pulled.`,
    other: `Run \`docker pull ${ref}\` for the full message.`,
  };
  return hints[problem];
}

/** Host of a reference; the first part is one only with a dot or a colon, or as `localhost`. */
function registryOf(ref: string): string {
  const [first = '', ...rest] = ref.split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io';
}

/** The error for an image that must not be replaced by another one, and without which nothing is known about the subject. */
export function pullError(ref: string, { problem, reason }: PullFailure): InfrastructureError {
  const codes = { corrupt: 'E_IMAGE_CORRUPT', refused: 'E_IMAGE_REFUSED' } as const;
  const code = problem === 'corrupt' || problem === 'refused' ? codes[problem] : 'E_IMAGE_PULL';
  return new InfrastructureError(code, `image ${ref} cannot be pulled: ${reason}`, {
    hint: pullHint(ref, problem),
    details: { ref, problem, reason },
  });
}

/** Whether it is an error about an image that must not be replaced, or about the engine itself. */
export function isPullError(error: unknown): boolean {
  return (
    error instanceof InfrastructureError &&
    ['E_IMAGE_REFUSED', 'E_IMAGE_CORRUPT', 'E_IMAGE_PULL', 'E_ENGINE'].includes(error.code)
  );
}

/** Why BuildKit did not get a base image; undefined when the build failed for another reason. */
export function baseImageFailure(output: string): (PullFailure & { ref: string }) | undefined {
  const [, reason] =
    /^ERROR: failed to solve: (.*(?:source metadata|httpReadSeeker|failed to fetch|commit digest|pull access denied).*)$/m.exec(
      output,
    ) ?? [];
  if (reason === undefined) return undefined;
  const [, ref = ''] = /^(\S+:\S+): /.exec(reason) ?? [];
  return { ref, problem: pullProblemOf(reason), reason };
}
