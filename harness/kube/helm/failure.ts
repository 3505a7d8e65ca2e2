/** Classifies helm failures: an invalid subject (usage), a rejection by the cluster (check), anything else (infrastructure). */
import { join } from 'node:path';
import { z } from 'zod';
import type { CommandResult } from '../../core/command.ts';
import {
  CheckFailure,
  DoesNotFit,
  InfrastructureError,
  UsageError,
  type KindproofError,
} from '../../core/errors.ts';
import { isLackOfPermission } from '../api/errors.ts';
import { isCoreApi } from '../manifests/core-api.ts';
import { locateValue } from './locate-value.ts';
import type { Subject } from './types.ts';

export interface HelmFailureContext {
  /** The operation, for the message: `install toolman`. */
  what: string;
  /** Whether the command changes the cluster. Only then is a rejection the subject's fault. */
  changes: boolean;
  subject?: Subject;
}

/** The error for a failed helm command. */
export async function helmFailure(
  result: CommandResult,
  context: HelmFailureContext,
): Promise<KindproofError> {
  const message = cleanMessage(result.stderr === '' ? result.stdout : result.stderr);
  const details = { command: result.command, exitCode: result.exitCode, stderr: result.stderr.slice(-8000) };
  return (
    postRenderFailure(result.stderr) ??
    (await subjectFailure(message, context.subject)) ??
    clusterFailure(message, details) ??
    releaseStateFailure(message, context, details) ??
    lackOfOperator(message, context, details) ??
    (context.changes ? refusal(message, context, details) : undefined) ??
    new InfrastructureError('E_HELM', `helm could not ${context.what}: ${message}`, { details })
  );
}

/** Helm's message without log lines and prefixes. */
export function cleanMessage(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trimEnd())
    // client-go's own log lines (`W1121 …`), helm's engine notes, deprecation warnings of the API server
    .filter((line) => !/^([IWEF]\d{4} |\S+\.go:\d+: |\d{4}\/\d\d\/\d\d |WARNING: |level=)/.test(line))
    .filter((line) => !line.startsWith('Use --debug flag to render out invalid YAML'));
  const start = lines.findIndex((line) => line.startsWith('Error: '));
  const message = lines
    .slice(Math.max(0, start))
    .join('\n')
    .replace(/^Error: /, '')
    .replace(/^(INSTALLATION|UPGRADE|ROLLBACK|UNINSTALLATION) FAILED: /, '')
    .replace(/\d+ errors? occurred:\s*\n\s*\* /, '')
    .replace(/\n\s*\* /g, '\n');
  return shorten(message).trim();
}

/** Removes the object that the API server quotes in full before the reason. */
export function shorten(message: string): string {
  return message.replace(/Invalid value: "(?:[^"\\]|\\.){200,}"/g, 'Invalid value');
}

const postRenderError = z.object({
  code: z.string().optional(),
  message: z.string(),
  hint: z.string().optional(),
});

function postRenderFailure(stderr: string): UsageError | undefined {
  const [, json] = /kindproof-post-render: (\{.*\})/.exec(stderr) ?? [];
  if (json === undefined) return undefined;
  const { code, message, hint } = postRenderError.parse(JSON.parse(json));
  return new UsageError(code?.startsWith('E_') ? (code as `E_${string}`) : 'E_PATCH', message, { hint });
}

async function subjectFailure(
  message: string,
  subject: Subject | undefined,
): Promise<UsageError | undefined> {
  if (message.includes("values don't meet the specifications of the schema"))
    return schemaViolation(message, subject);
  const template = templateError(message, subject);
  if (template) return template;
  const [, file, why] = /^failed to parse (.+?): (.+)$/s.exec(message) ?? [];
  if (file !== undefined && why !== undefined) {
    return new UsageError('E_VALUES', `values file ${file} cannot be read: ${why}`, {
      hint: 'A values file must be a YAML map.',
    });
  }
  const [, set] = /^failed parsing --set data: (.+)$/s.exec(message) ?? [];
  if (set !== undefined) {
    return new UsageError('E_SET', `--set: ${set}`, {
      hint: 'Write key=value or list[0].key=value; escape a comma in a value as \\,',
    });
  }
  if (message.includes('missing in charts/ directory')) {
    const [, names] = /missing in charts\/ directory: (.+)$/m.exec(message) ?? [];
    const chart = subject?.chart ?? 'CHART';
    return new UsageError('E_CHART', `chart ${chart} lacks its dependencies: ${names ?? message}`, {
      hint: `Run \`helm dependency build ${chart}\`.`,
    });
  }
  if (
    /Chart\.yaml|chart requires kubeVersion|validation: chart\.|library charts are not installable|is not installable/.test(
      message,
    )
  ) {
    const hint = message.includes('kubeVersion')
      ? 'Select a supported Kubernetes version with --kubernetes VERSION.'
      : undefined;
    return new UsageError('E_CHART', `chart ${subject?.chart ?? ''}: ${message}`, { hint });
  }
  return undefined;
}

/** `template: c/templates/b.yaml:1:13: executing "…" at <.Values.a.b>: nil pointer …` */
function templateError(message: string, subject: Subject | undefined): UsageError | undefined {
  // With includes, helm nests the positions. The last one is the origin, hence the greedy first part.
  const found =
    /^.*(?:template: |execution error at \(|parse error at \()([^\s:()]+):(\d+)(?::(\d+))?\)?: ([^\n]+)/s.exec(
      message,
    );
  if (found) {
    const [, file = '', line = '', column, rest = ''] = found;
    const [, expression, why] = /^executing "[^"]*" at <(.+?)>: (.+)$/.exec(rest) ?? [];
    const [, innerWhy] = /^error calling \w+: (.+)$/.exec(why ?? '') ?? [];
    const reason = innerWhy ?? why ?? rest;
    const place = `${chartFile(file, subject)}:${line}${column === undefined ? '' : `:${column}`}`;
    return new UsageError(
      'E_TEMPLATE',
      `${place}: ${expression === undefined ? '' : `${expression}: `}${reason}`,
      {
        hint: templateHint(reason, expression),
        details: { file, line: Number(line) },
      },
    );
  }
  const [, file, why] = /YAML parse error on (\S+?): (.+)/.exec(message) ?? [];
  if (file === undefined) return undefined;
  const reason = (why ?? '').replace(/^error converting YAML to JSON: yaml: /, '');
  return new UsageError('E_TEMPLATE', `${chartFile(file, subject)} does not render valid YAML: ${reason}`, {
    hint: 'The line number refers to the rendered text; print it with `helm template --debug`. The usual cause is indentation (nindent).',
    details: { file },
  });
}

function templateHint(reason: string, expression: string | undefined): string {
  if (reason.includes('nil pointer evaluating')) {
    return `A parent of ${expression ?? 'the value'} is not set: set it in a values file, or guard it in the template.`;
  }
  if (/function "\w+" not defined/.test(reason))
    return 'The function name is misspelled, or this version of helm does not have it.';
  return 'Fix the template, or set the value that it requires.';
}

/** Helm prefixes templates with the chart's name; this gives the path of the file. */
function chartFile(file: string, subject: Subject | undefined): string {
  if (!subject || subject.chart.endsWith('.tgz')) return file;
  return join(subject.chart, ...file.split('/').slice(1));
}

async function schemaViolation(message: string, subject: Subject | undefined): Promise<UsageError> {
  const violations: string[] = [];
  for (const [, path = '', why = ''] of message.matchAll(/^- at '([^']*)': (.+)$/gm)) {
    const [, extra] = /additional propert\w+ '([^']+)'/.exec(why) ?? [];
    const keys = [...path.split('/').filter((key) => key !== ''), ...(extra === undefined ? [] : [extra])];
    const where = subject ? await locateValue(subject, keys) : undefined;
    violations.push(`${keys.join('.') || 'the values'}: ${why}${where === undefined ? '' : ` (${where})`}`);
  }
  const list = violations.length === 0 ? message : violations.join('; ');
  return new UsageError(
    'E_VALUES_SCHEMA',
    `the values violate the schema of chart ${subject?.chart ?? ''}: ${list}`,
    {
      hint: 'See values.schema.json of the chart.',
    },
  );
}

function clusterFailure(message: string, details: Record<string, unknown>): InfrastructureError | undefined {
  if (message.includes('failed calling webhook')) return undefined;
  if (isLackOfPermission(message)) {
    return new InfrastructureError('E_FORBIDDEN', `helm may not do this on the cluster: ${message}`, {
      hint: 'Grant the permission to the user of the kubeconfig, or use another context.',
      details,
    });
  }
  const unreachable =
    /Kubernetes cluster unreachable|connection refused|connection reset|no such host|i\/o timeout|TLS handshake|x509:|Unauthorized|context "?[^"]*"? does not exist|invalid configuration|client connection lost|unexpected EOF|etcdserver: |the server is currently unable to handle/;
  if (!unreachable.test(message)) return undefined;
  return new InfrastructureError('E_CLUSTER_UNREACHABLE', `helm cannot reach the cluster: ${message}`, {
    hint: 'Check that the cluster runs and that the kubeconfig belongs to it (`npm run doctor`).',
    details,
  });
}

function releaseStateFailure(
  message: string,
  { what }: HelmFailureContext,
  details: Record<string, unknown>,
): InfrastructureError | undefined {
  if (
    !/release: not found|has no deployed releases|another operation .* is in progress|cannot re-use a name|release has no \S+ version|^create: failed to create: namespaces/.test(
      message,
    )
  )
    return undefined;
  return new InfrastructureError('E_RELEASE_STATE', `helm could not ${what}: ${message}`, {
    hint: '`helm list --all` shows releases of earlier runs; `npm run sweep` removes what kindproof created.',
    details,
  });
}

/** Kinds that come with an operator, which is no part of the chart. A removed API of Kubernetes is the chart's own choice. */
export function lackOfOperator(
  message: string,
  { what }: Pick<HelmFailureContext, 'what'>,
  details: Record<string, unknown> = {},
): DoesNotFit | undefined {
  const lacking = [...message.matchAll(/no matches for kind "([^"]+)" in version "([^"]+)"/g)].map(
    ([, kind = '', version = '']) => ({ kind, version }),
  );
  if (lacking.length === 0 || lacking.some(({ version }) => isCoreApi(version))) return undefined;
  const kinds = [...new Set(lacking.map(({ kind, version }) => `${kind} (${version})`))].join(', ');
  return new DoesNotFit(
    `helm could not ${what}: the cluster does not serve ${kinds}, which an operator brings`,
    {
      hint: 'Install the CustomResourceDefinition on an existing cluster (`--cluster existing`), or disable the objects with a value of the chart.',
      details,
    },
  );
}

function refusal(
  message: string,
  { what }: HelmFailureContext,
  details: Record<string, unknown>,
): CheckFailure {
  const hook = /(pre|post)-(install|upgrade|delete|rollback)/.exec(message)?.[0];
  if (hook !== undefined && /failed|timed out|BackoffLimitExceeded/.test(message)) {
    return new CheckFailure('E_HOOK_FAILED', `${what}: a ${hook} hook failed: ${message}`, { details });
  }
  if (/timed out waiting|context deadline exceeded/.test(message)) {
    return new CheckFailure('E_INSTALL_TIMEOUT', `${what} did not become ready in time: ${message}`, {
      details,
    });
  }
  return new CheckFailure('E_INSTALL_REFUSED', `the cluster refused to ${what}: ${message}`, {
    hint: refusalHint(message),
    details,
  });
}

/** What to do about the reason for which the API server refuses an object; `undefined` when it says so itself. */
export function refusalHint(message: string): string | undefined {
  const hints: [RegExp, string][] = [
    [
      /field is immutable|updates to statefulset spec/i,
      'Selectors, claim templates and Job templates are immutable: keep version and chart labels out of them.',
    ],
    [
      /is immutable after creation|cannot change roleRef|may not change once set/i,
      'The cluster never changes this field: give the object another name, and say in the notes of the release what has to be moved.',
    ],
    [
      /no matches for kind|ensure CRDs are installed first/,
      'The cluster does not serve this version of the API: use a newer one, or guard the template with .Capabilities.APIVersions.Has.',
    ],
    [/violates PodSecurity/, 'The namespace enforces a Pod Security Standard that the pod violates.'],
    [
      /exceeded quota|forbidden: .*(minimum|maximum) (cpu|memory)|must specify limits/,
      'A ResourceQuota or LimitRange of the namespace does not allow these resources.',
    ],
    [
      /in namespace "" exists and cannot be imported/,
      'The object belongs to the whole cluster, and another release has it: put .Release.Namespace into its name, or use a kind that lies in a namespace.',
    ],
    [
      /invalid ownership metadata|already exists/,
      'An object of another release has this name: derive every name from the release name.',
    ],
    [/RuntimeClass|runtimeclass/, 'The RuntimeClass of the pod does not exist in the cluster.'],
    [/unknown field|strict decoding/, 'A field is misspelled or in the wrong place.'],
    [
      /cannot unmarshal/,
      'A value has the wrong type, often an unquoted number or boolean in place of a string.',
    ],
  ];
  return hints.find(([pattern]) => pattern.test(message))?.[1];
}
