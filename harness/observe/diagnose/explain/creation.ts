/** Explains why the API server refuses to create a pod, from the admission messages in FailedCreate events. */
import type { Cause } from '../diagnosis.ts';
import { HINT } from './hints.ts';
import { clip } from '../../../core/wording.ts';

interface CreationTrouble {
  /** Completes "ReplicaSet x …". */
  says: string;
  upstream: Cause[];
  hint?: string | undefined;
  /** Another pod of the workload may lift the refusal: its end makes room in a quota, its start lets a webhook answer. */
  mayPass?: true;
}

interface Rule {
  pattern: RegExp;
  explain: (groups: Record<string, string | undefined>) => CreationTrouble;
}

const RULES: readonly Rule[] = [
  {
    pattern:
      /exceeded quota: (?<quota>[^,]+), requested: (?<asked>.+?), used: (?<used>.+?), limited: (?<limit>.+)$/s,
    explain: ({ quota = '', asked, used, limit }) => ({
      says: `may not create its pods: quota ${quota} is exhausted`,
      upstream: [
        {
          object: `ResourceQuota ${quota}`,
          says: `allows ${limit}; used ${used}; one more pod requests ${asked}`,
        },
      ],
      hint: HINT.quota,
      mayPass: true,
    }),
  },
  {
    pattern: /failed quota: (?<quota>[^:]+): must specify (?<what>.+)$/s,
    explain: ({ quota = '', what }) => ({
      says: `may not create its pods: quota ${quota} requires every container to set ${clip(what ?? '', 160)}`,
      upstream: [],
      hint: HINT.quota,
    }),
  },
  {
    pattern: /violates PodSecurity "(?<level>[^"]+)": (?<why>.+)$/s,
    explain: ({ level = '', why = '' }) => ({
      says: `may not create its pods: Pod Security "${level}" forbids them`,
      upstream: splitViolations(why).map((says) => ({ object: `Pod Security ${level}`, says })),
      hint: HINT.podSecurity,
    }),
  },
  {
    pattern: /RuntimeClass "(?<name>[^"]+)" not found/,
    explain: ({ name = '' }) => ({
      says: `may not create its pods: they ask for RuntimeClass ${name}`,
      upstream: [{ object: `RuntimeClass ${name}`, says: 'does not exist' }],
      hint: HINT.runtimeClass,
    }),
  },
  {
    pattern:
      /service ?account "?(?:[^"/]+\/)?(?<name>[^":/]+)"? ?(?:was )?not found|error looking up service account [^/]+\/(?<other>[^:]+):/i,
    explain: ({ name, other }) => ({
      says: `may not create its pods: they run as ServiceAccount ${name ?? other ?? ''}`,
      upstream: [{ object: `ServiceAccount ${name ?? other ?? ''}`, says: 'does not exist' }],
      hint: HINT.serviceAccount,
    }),
  },
  {
    pattern: /no PriorityClass with name (?<name>\S+) was found/,
    explain: ({ name = '' }) => ({
      says: `may not create its pods: they ask for PriorityClass ${name}`,
      upstream: [{ object: `PriorityClass ${name}`, says: 'does not exist' }],
      hint: HINT.priorityClass,
    }),
  },
  {
    pattern: /admission webhook "(?<name>[^"]+)" denied the request:? ?(?<why>.*)$/s,
    explain: ({ name = '', why = '' }) => ({
      says: 'may not create its pods: an admission webhook denies them',
      upstream: [{ object: `Webhook ${name}`, says: clip(why, 300) }],
      hint: HINT.webhook,
    }),
  },
  {
    pattern: /failed calling webhook "(?<name>[^"]+)": (?<why>.*)$/s,
    explain: ({ name = '', why = '' }) => ({
      says: 'may not create its pods: an admission webhook does not answer',
      upstream: [{ object: `Webhook ${name}`, says: clip(why, 300) }],
      hint: HINT.webhookSilent,
      mayPass: true,
    }),
  },
  {
    pattern: /ValidatingAdmissionPolicy '(?<name>[^']+)' .*denied request: (?<why>.*)$/s,
    explain: ({ name = '', why = '' }) => ({
      says: 'may not create its pods: an admission policy denies them',
      upstream: [{ object: `ValidatingAdmissionPolicy ${name}`, says: clip(why, 300) }],
      hint: HINT.webhook,
    }),
  },
  {
    pattern: /(?<why>(?:maximum|minimum) \S+ usage per .+|\S+ max limit to request ratio per .+)$/s,
    explain: ({ why = '' }) => ({
      says: `may not create its pods: a LimitRange forbids them: ${clip(why)}`,
      upstream: [],
      hint: HINT.limitRange,
    }),
  },
];

/** @param message of a FailedCreate event or of a ReplicaFailure condition */
export function explainCreation(message: string): CreationTrouble {
  for (const { pattern, explain } of RULES) {
    const match = pattern.exec(message);
    if (match) return explain({ ...match.groups });
  }
  const why = message.replace(/^Error creating: /, '').replace(/^pods "[^"]*" is forbidden: /, '');
  return { says: `cannot create its pods: ${clip(why, 300)}`, upstream: [], mayPass: true };
}

/** Splits the violations at their commas, but not at commas inside the brackets of a violation. */
function splitViolations(text: string): string[] {
  return text.split(/, (?=[\w./-]+(?: [\w./-]+)* ?(?:!=|\(|=))/).map((part) => clip(part.trim(), 240));
}
