/** Facts reported by the Docker client and its engine. */
import { z } from 'zod';
import { CommandError } from '../../core/command.ts';
import { findProgram } from '../tools/find-program.ts';
import { versionIn } from '../tools/version.ts';
import type { PreflightDeps } from './finding.ts';

const infoSchema = z.object({
  ServerVersion: z.string().default(''),
  DockerRootDir: z.string().optional(),
  CgroupVersion: z.string().optional(),
  CgroupDriver: z.string().optional(),
  Driver: z.string().optional(),
  OperatingSystem: z.string().optional(),
  SecurityOptions: z.array(z.string()).nullish(),
  ServerErrors: z.array(z.string()).nullish(),
});

const versionSchema = z.object({
  Client: z.object({ Version: z.string() }).optional(),
  Server: z
    .object({
      ApiVersion: z.string().optional(),
      Components: z.array(z.object({ Name: z.string() })).nullish(),
    })
    .nullish(),
});

export type EngineInfo = z.infer<typeof infoSchema>;

export interface EngineFacts {
  /** Path of the Docker client. */
  client?: string;
  clientVersion?: string;
  /** Present when the engine answered. */
  info?: EngineInfo;
  /** `1.45` */
  apiVersion?: string;
  podman: boolean;
  rootless: boolean;
  /** Version of BuildKit's client plug-in. */
  buildx?: string;
  /** Docker's message when the engine did not answer. */
  error?: string;
}

type Deps = Pick<PreflightDeps, 'run' | 'env' | 'signal'>;

/** Queries client and engine; an engine that does not answer sets `error` instead of throwing. */
export async function engineFacts(deps: Deps): Promise<EngineFacts> {
  const client = await findProgram('docker', deps.env['PATH']);
  if (client === undefined) return { podman: false, rootless: false, error: 'docker is not on PATH' };
  const [infoOutput, versionOutput, buildxOutput] = await Promise.all([
    query(deps, ['info', '--format', '{{json .}}']),
    query(deps, ['version', '--format', '{{json .}}']),
    query(deps, ['buildx', 'version']),
  ]);
  const info = parsed(infoSchema, infoOutput.stdout);
  const version = parsed(versionSchema, versionOutput.stdout);
  const components = version?.Server?.Components ?? [];
  const buildx = buildxOutput.exitCode === 0 ? versionIn(buildxOutput.stdout)?.text : undefined;
  const facts: EngineFacts = {
    client,
    podman: components.some(({ Name }) => /podman/i.test(Name)) || /podman/i.test(infoOutput.stderr),
    rootless: (info?.SecurityOptions ?? []).some((option) => option.includes('rootless')),
    ...(version?.Client ? { clientVersion: version.Client.Version } : {}),
    ...(version?.Server?.ApiVersion ? { apiVersion: version.Server.ApiVersion } : {}),
    ...(buildx === undefined ? {} : { buildx }),
  };
  if (info && info.ServerVersion !== '') return { ...facts, info };
  const reason = (info?.ServerErrors ?? [])[0] ?? infoOutput.stderr.trim().split('\n').at(-1) ?? '';
  return { ...facts, error: reason === '' ? 'it did not answer' : reason };
}

/** What the engine says about itself; `undefined` when it does not answer. */
export async function engineInfo(deps: Deps): Promise<EngineInfo | undefined> {
  if ((await findProgram('docker', deps.env['PATH'])) === undefined) return undefined;
  const { stdout } = await query(deps, ['info', '--format', '{{json .}}']);
  const info = parsed(infoSchema, stdout);
  return info?.ServerVersion === '' ? undefined : info;
}

async function query(
  deps: Deps,
  args: readonly string[],
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  try {
    return await deps.run.run('docker', args, { reject: false, timeoutMs: 20_000, signal: deps.signal });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { exitCode: -1, stdout: '', stderr: error.message };
  }
}

function parsed<T extends z.ZodType>(schema: T, text: string): z.infer<T> | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
