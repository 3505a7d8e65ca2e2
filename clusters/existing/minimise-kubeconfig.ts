/** Reduces a kubeconfig to one context. */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { messageOf, UsageError } from '../../harness/core/errors.ts';

const list = <T extends z.ZodType>(entry: T) => z.array(entry).nullish();
const name = z.string();

const contextSchema = z.looseObject({ cluster: z.string(), user: z.string() });
const kubeconfigSchema = z.looseObject({
  contexts: list(z.looseObject({ name, context: contextSchema })),
  clusters: list(z.looseObject({ name, cluster: z.looseObject({ server: z.string() }) })),
  users: list(z.looseObject({ name, user: z.looseObject({}).nullish() })),
});

/** Fields that name files, and the fields for their contents in the copy. */
const FILE_FIELDS = {
  'certificate-authority': 'certificate-authority-data',
  'client-certificate': 'client-certificate-data',
  'client-key': 'client-key-data',
} as const;

/**
 * Reads a kubeconfig and returns the text of a new one with only the given context. Copies the files it names into the text; a token file
 * is rotated in place, so only its path is made absolute.
 *
 * @throws UsageError `E_KUBECONFIG` when the file cannot be read, or does not have the context (the hint lists its contexts)
 */
export async function minimiseKubeconfig(file: string, context: string): Promise<string> {
  const config = await readKubeconfig(file);
  const known = (config.contexts ?? []).map((entry) => entry.name);
  const chosen = config.contexts?.find((entry) => entry.name === context)?.context;
  if (chosen === undefined) {
    throw new UsageError('E_KUBECONFIG', `kubeconfig ${file} has no context ${context}`, {
      hint: `name one with --context; the file has: ${known.join(', ') || 'none'}`,
    });
  }
  const { cluster: clusterName, user: userName } = chosen;
  const cluster = config.clusters?.find((entry) => entry.name === clusterName)?.cluster;
  const user = config.users?.find((entry) => entry.name === userName);
  if (cluster === undefined || user === undefined) {
    throw new UsageError('E_KUBECONFIG', `context ${context} of ${file} lacks its cluster or its user`, {
      hint: 'create the kubeconfig again with the tool that wrote it',
    });
  }
  const base = dirname(resolve(file));
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    contexts: [{ name: context, context: chosen }],
    clusters: [{ name: clusterName, cluster: await inlineFiles(cluster, base) }],
    users: [{ name: userName, user: await inlineFiles(user.user ?? {}, base) }],
  });
}

async function readKubeconfig(file: string): Promise<z.infer<typeof kubeconfigSchema>> {
  try {
    return kubeconfigSchema.parse(parse(await readFile(file, 'utf8')));
  } catch (error) {
    const why = error instanceof z.ZodError ? 'it is not a kubeconfig' : messageOf(error);
    throw new UsageError('E_KUBECONFIG', `kubeconfig ${file} cannot be read: ${why}`, {
      hint: 'name the kubeconfig of a running cluster with --kubeconfig',
      cause: error,
    });
  }
}

async function inlineFiles(input: unknown, base: string): Promise<Record<string, unknown>> {
  const result: Record<string, unknown> = { ...z.record(z.string(), z.unknown()).parse(input) };
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(base, path));
  for (const [field, dataField] of Object.entries(FILE_FIELDS)) {
    const path = result[field];
    if (typeof path !== 'string') continue;
    Reflect.deleteProperty(result, field);
    try {
      result[dataField] ??= (await readFile(absolute(path))).toString('base64');
    } catch (error) {
      throw new UsageError(
        'E_KUBECONFIG',
        `the file of ${field} in the kubeconfig cannot be read: ${messageOf(error)}`,
        {
          hint: 'correct the path in the kubeconfig',
          cause: error,
        },
      );
    }
  }
  if (typeof result['tokenFile'] === 'string') result['tokenFile'] = absolute(result['tokenFile']);
  const exec = z.looseObject({ command: z.string() }).safeParse(result['exec']);
  // A command with a slash is relative to the kubeconfig; a bare name is looked up in PATH.
  if (exec.success && exec.data.command.includes('/')) {
    result['exec'] = { ...exec.data, command: absolute(exec.data.command) };
  }
  return result;
}
