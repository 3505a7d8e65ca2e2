/** Schemas of helm's JSON output (`-o json`). Source: pkg/release/release.go, cmd/helm/{list,history}.go of v3. */
import { z } from 'zod';
import { shorten } from './failure.ts';
import { InfrastructureError } from '../../core/errors.ts';
import type { CommandResult } from '../../core/command.ts';

export const releaseJson = z
  .object({
    name: z.string(),
    namespace: z.string(),
    version: z.number(),
    info: z.object({
      status: z.string(),
      description: z.string().default('').transform(shorten),
      notes: z.string().default(''),
    }),
    manifest: z.string().default(''),
  })
  .transform(({ name, namespace, version, info, manifest }) => ({
    name,
    namespace,
    revision: version,
    status: info.status,
    description: info.description,
    notes: info.notes,
    manifest,
  }));

export const listJson = z.array(
  z
    .object({
      name: z.string(),
      namespace: z.string(),
      // A quoted number in this output only.
      revision: z.coerce.number(),
      status: z.string(),
      chart: z.string(),
      app_version: z.string().default(''),
    })
    .transform(({ app_version, ...rest }) => ({ ...rest, appVersion: app_version })),
);

export const historyJson = z.array(
  z
    .object({
      revision: z.number(),
      status: z.string(),
      chart: z.string(),
      app_version: z.string().default(''),
      description: z.string().default('').transform(shorten),
    })
    .transform(({ app_version, ...rest }) => ({ ...rest, appVersion: app_version })),
);

export const valuesJson = z
  .record(z.string(), z.unknown())
  .nullable()
  .transform((values) => values ?? {});

/** Parses a command's standard output. @throws InfrastructureError E_HELM_OUTPUT with the command and the start of its output */
export function parseOutput<T>(schema: z.ZodType<T>, result: CommandResult): T {
  const fail = (why: string, cause?: unknown): never => {
    const start = result.stdout.trim().slice(0, 200);
    throw new InfrastructureError(
      'E_HELM_OUTPUT',
      `\`${result.command}\` did not print the JSON of helm 3: ${why}${start === '' ? ' (no output)' : `; output starts with: ${start}`}`,
      {
        cause,
        hint: 'Check the program with `helm version`; `npm run doctor` shows the supported version.',
      },
    );
  };
  let json: unknown;
  try {
    json = JSON.parse(result.stdout);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), error);
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? parsed.data : fail(z.prettifyError(parsed.error), parsed.error);
}
