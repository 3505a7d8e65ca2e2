/** Several servers at once, also behind a gateway. */
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { endpointsAre } from '../../../harness/observe/waits/endpoints.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { startMcpClient } from '../../mcp-client/mcp-client.ts';
import { startGateway } from '../gateway.ts';
import { requirement } from '../kit.ts';
import { environmentOf, MCP_PATH, serverPods, urlOf } from '../server.ts';
import { type OneOfSeveral, servedByTheirOwn, severalServers, VARIABLE } from '../several.ts';
import { GATEWAY } from '../suite.ts';

const OWN = { release: 'none', releases: 3, disruptive: true, timeoutMs: 900_000 } as const;
/** Each node's proxy, and the gateway, learn of a change a moment later. */
const LEARNED_MS = 60_000;

requirement(
  'M-59',
  'runs three times at once, twice in one namespace, each with its own configuration, endpoints and answers',
  { ...OWN, typicalMs: 60_000 },
  async ({ lab, kube, subject, observe }) => {
    const servers = await severalServers(lab, subject);
    for (const { id, release, service } of servers) {
      const pods = await serverPods(release);
      for (const pod of pods) {
        const environment = await environmentOf(release, pod);
        expect(environment.get(VARIABLE), `${VARIABLE} in ${pod.metadata.name} of the ${id} server`).toBe(id);
      }
      await endpointsAre(kube, { name: service.metadata.name, namespace: release.namespace }, pods);
    }
    const client = await startMcpClient(lab);
    const url = ({ release }: OneOfSeveral): string => urlOf(release);
    await expect(
      eventually(() => servedByTheirOwn(client, servers, url, 1), { timeoutMs: LEARNED_MS }),
    ).toHold();
    await expect(servedByTheirOwn(client, servers, url)).toHold();
    observe(
      servers.map(({ release, service }) => `${release.namespace}/${service.metadata.name}`).join(', '),
    );
  },
);

requirement(
  'M-60',
  'is found by a gateway by its name and namespace, also after its pods were replaced, and not after it was removed',
  { ...OWN, images: [GATEWAY], typicalMs: 100_000 },
  async ({ lab, subject, observe }) => {
    const servers = await severalServers(lab, subject);
    const namespaces = [...new Set(servers.map(({ release }) => release.namespace))];
    const gateway = await startGateway(lab, subject, namespaces);
    const client = await startMcpClient(lab);
    const url = ({ release: { namespace }, service }: OneOfSeveral): string =>
      `${gateway.urlOf({ namespace, name: service.metadata.name })}${MCP_PATH}`;
    /** First what the gateway has learned, with single calls; then many, of which none may fail. */
    const serves = async (which: readonly OneOfSeveral[]): Promise<void> => {
      const learned = (): Promise<PredicateResult> => servedByTheirOwn(client, which, url, 1);
      await expect(eventually(learned, { timeoutMs: LEARNED_MS })).toHold();
      await expect(servedByTheirOwn(client, which, url)).toHold();
    };
    await serves(servers);

    const [first, second, third] = servers;
    const before = await serverPods(first.release);
    await lab.replacePods(first.release, before);
    await serves(servers);
    observe(`the gateway follows ${before.length} replaced pods of the first server`);

    await lab.uninstall(second.release);
    await expect(
      eventually(
        async () => {
          const sessions = await client.talk({ url: url(second) });
          const served = sessions.filter(({ error }) => error === undefined);
          return nothingWrong(
            'the gateway leads nobody to a server that was removed',
            served.map(
              ({ server }) => `${server?.name ?? 'a server'} answers in the name of the second server`,
            ),
          );
        },
        { timeoutMs: LEARNED_MS },
      ),
    ).toHold();
    await serves([first, third]);
  },
);
