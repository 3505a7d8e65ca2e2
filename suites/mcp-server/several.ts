/** Several servers at once: two in one namespace, and one in another with the name of the first. */
import { DoesNotFit } from '../../harness/core/errors.ts';
import type { Service } from '../../harness/kube/api/types.ts';
import { nothingWrong, type PredicateResult } from '../../harness/observe/predicates/result.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import type { Release } from '../../harness/run/suite/release.ts';
import type { SubjectConfig } from '../../harness/run/suite/worker-config.ts';
import type { McpClient, McpSessionResult } from '../mcp-client/mcp-client.ts';
import { atEndpoint, INFO, needTool, podOfAnswer } from './answers.ts';
import { needVariable } from './configuration.ts';
import { serverPods, serviceOf } from './server.ts';

/** Each server gets it by the value `config`, with its own name. */
export const VARIABLE = 'KINDPROOF_SERVER';

export interface OneOfSeveral {
  /** What messages call it, and its own value of the variable. */
  id: string;
  release: Release;
  service: Service;
}

/**
 * Installs the servers.
 *
 * @throws DoesNotFit when the chart can be installed only once, or brings no variable by its value `config`
 */
export async function severalServers(
  lab: Lab,
  { once }: Pick<SubjectConfig, 'once'>,
): Promise<[OneOfSeveral, OneOfSeveral, OneOfSeveral]> {
  if (once === true) throw new DoesNotFit('the chart can be installed only once on a cluster');
  const install = async (
    id: string,
    place: { namespace?: string; releaseName?: string },
  ): Promise<OneOfSeveral> => {
    const release = await lab.install({ ...place, set: [`config.${VARIABLE}=${id}`] });
    return { id, release, service: serviceOf(release) };
  };
  const first = await install('first', {});
  needVariable(first.release, VARIABLE);
  const { namespace, name } = first.release;
  const [second, third] = await Promise.all([
    install('second', { namespace, releaseName: `${name}-second` }),
    install('third', {}),
  ]);
  return [first, second, third];
}

/** A session finds out the pods that answer: enough sessions for all of them. */
const CALLS = 10;
const SESSIONS = 2;

/**
 * Calls all servers at the same time. No request fails, and each server answers with its own pods only.
 *
 * @param urlOf the endpoint of a server
 * @param calls of each of two sessions to each server
 */
export async function servedByTheirOwn(
  client: Pick<McpClient, 'talkToAll'>,
  servers: readonly OneOfSeveral[],
  urlOf: (server: OneOfSeveral) => string,
  calls = CALLS,
): Promise<PredicateResult> {
  const sound = `${servers.length} servers at once answer every request, each with its own pods`;
  const tasks = servers.map((server) => ({
    url: urlOf(server),
    sessions: SESSIONS,
    parallel: SESSIONS,
    calls: [{ tool: INFO, times: calls }],
  }));
  const pods = await Promise.all(servers.map(({ release }) => serverPods(release)));
  const results = await client.talkToAll(tasks);
  const complaints = servers.flatMap((server, at) =>
    complaintsAbout(
      server,
      results[at] ?? [],
      (pods[at] ?? []).map(({ metadata }) => metadata.name),
    ),
  );
  const answered = results.flat().flatMap((session) => session.calls).length;
  return { ...nothingWrong(sound, complaints), observed: [`${answered} calls to ${servers.length} servers`] };
}

function complaintsAbout(
  { id, release, service }: OneOfSeveral,
  sessions: readonly McpSessionResult[],
  own: readonly string[],
): string[] {
  const title = `the ${id} server (Service ${service.metadata.name} in ${release.namespace})`;
  for (const session of sessions) needTool(atEndpoint(session), INFO);
  const errors = sessions.flatMap(({ error, calls }) => [error, ...calls.map((call) => call.error)]);
  const failed = errors.filter((error) => error !== undefined);
  const answers = sessions.flatMap(({ calls }) => calls.flatMap(({ text }) => text ?? []));
  const strangers = new Set(answers.map(podOfAnswer).filter((pod) => !own.includes(pod)));
  return [
    ...failed.slice(0, 1).map((error) => `${title} fails ${failed.length} requests: ${error}`),
    ...[...strangers].map((pod) => `${title} answers with pod ${pod}, which is none of its pods`),
  ];
}
