/** Clients in the cluster reach the server through its Service, with MCP. */
import { DoesNotFit } from '../../../harness/core/errors.ts';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { startMcpClient, type McpSessionResult } from '../../mcp-client/mcp-client.ts';
import { atEndpoint, INFO, needTool, podOfAnswer } from '../answers.ts';
import { requirement } from '../kit.ts';
import { healthPathOf, hostOf, portOf, serverOf, serverPods, serviceOf, urlOf } from '../server.ts';
import { sharesAreFair } from '../shares.ts';

/** Prints an address. Unlike nslookup, it fails for an alias of a name that does not exist. */
const LOOKUP =
  "require('node:dns').promises.lookup(process.argv[1]).then(({ address }) => console.log(address))";

requirement(
  ['M-06', 'M-33'],
  'has a name in the DNS of the cluster, in its own namespace and in another one',
  async ({ release, lab, observe }) => {
    const service = serviceOf(release);
    const client = await startMcpClient(lab);
    const host = hostOf(service, release);
    const resolves = async (): Promise<PredicateResult> => {
      const { exitCode, stdout, stderr } = await client.run(['node', '-e', LOOKUP, host]);
      const said = `${stdout}${stderr}`.trim();
      const actual = exitCode === 0 ? said : (/Error: .*/.exec(said)?.[0] ?? `exit code ${exitCode}`);
      return { ok: exitCode === 0, expected: `${host} resolves in namespace ${client.namespace}`, actual };
    };
    // CoreDNS caches a negative answer for up to 30 s.
    await expect(eventually(resolves, { timeoutMs: 60_000 })).toHold();
    const [pod] = await serverPods(release);
    if (!pod) throw new DoesNotFit('the server has no pod');
    const own = await release.exec(pod, ['busybox', 'nslookup', `${host}.`]);
    expect(own.exitCode, `exit code of nslookup ${host} in ${pod.metadata.name}`).toBe(0);
    observe(host);
  },
);

const ECHO = 'echo_message';
const CALLS = [
  { tool: ECHO, arguments: { message: 'kindproof' } },
  { tool: 'say_hello', arguments: { name: 'kindproof' } },
];

requirement(
  ['M-17', 'M-34'],
  'serves MCP to a pod of another namespace: initialize, tools/list, tools/call, and the path of its probe',
  async ({ release, lab, observe }) => {
    const url = urlOf(release);
    const client = await startMcpClient(lab);
    let calls: typeof CALLS = [];
    // Each node's kube-proxy learns of the Service and its pods a moment later.
    let session: McpSessionResult | undefined;
    const result = await eventually(async () => {
      const first = atEndpoint((await client.talk({ url }))[0]);
      // Another server may have other tools, and the check does not know their arguments.
      calls = CALLS.filter(({ tool }) => first.tools.includes(tool));
      session = first.error === undefined ? atEndpoint((await client.talk({ url, calls }))[0]) : first;
      const complaints = [
        ...(session.error === undefined ? [] : [`it is refused: ${session.error}`]),
        ...(session.error === undefined && session.tools.length === 0 ? ['tools/list has no tool'] : []),
        ...session.calls.flatMap(({ error }, at) =>
          error === undefined ? [] : [`tools/call ${calls[at]?.tool ?? ''} fails: ${error}`],
        ),
      ];
      const wrong = nothingWrong(`a client of ${url} initializes, lists tools and calls them`, complaints);
      // A server that answers has been reached: its answer stays what it is.
      return { ...wrong, ...(session.error === undefined && { isFinal: true as const }) };
    });
    await expect(result).toHold();
    if (calls[0]?.tool === ECHO) expect(session?.calls[0]?.text, `answer of ${ECHO}`).toBe('kindproof');
    if (calls.length === 0) observe('no tool was called: the server has none that the check knows');
    const service = serviceOf(release);
    const path = healthPathOf(service, serverOf(release).container);
    if (path === undefined) observe('no HTTP probe asks at the port of the Service');
    else {
      const target = { kind: 'Service', name: service.metadata.name, port: portOf(service).port } as const;
      const { status } = await release.http(target, path);
      // As for a probe of the kubelet.
      expect(
        status >= 200 && status < 400,
        `GET ${path} through the Service is answered with ${status}, a success`,
      ).toBe(true);
    }
    observe(
      `${session?.server?.name ?? ''} ${session?.server?.version ?? ''}: ${(session?.tools ?? []).join(', ')}`,
    );
  },
);

/** Enough for narrow bounds, and few enough for two cores. */
const REQUESTS = 100;

requirement(
  ['M-40', 'M-58', 'M-61'],
  'balances connections over all its replicas, also on other nodes, and loses none',
  async ({ release, lab, observe }) => {
    const url = urlOf(release);
    const pods = await serverPods(release);
    if (pods.length < 2) throw new DoesNotFit('the server has one replica');
    const [first] = pods;
    const client = await startMcpClient(
      lab,
      first?.spec.nodeName === undefined ? {} : { node: first.spec.nodeName },
    );
    // A session of its own for each part, so that a few connections are open at the same time.
    const sessions = 4;
    const calls = [{ tool: INFO, times: REQUESTS / sessions }];
    needTool(atEndpoint((await client.talk({ url }))[0]), INFO);
    const answers = await client.talk({ url, sessions, parallel: sessions, calls });
    const errors = answers
      .flatMap(({ error, calls: made }) => [error, ...made.map((call) => call.error)])
      .filter((error) => error !== undefined);
    await expect(nothingWrong(`${url} answers every request`, errors)).toHold();
    const answered = answers.flatMap(({ calls: made }) => made.map(({ text = '' }) => podOfAnswer(text)));
    const result = sharesAreFair(
      answered,
      pods.map(({ metadata }) => metadata.name),
    );
    await expect(result).toHold();
    const elsewhere = pods.filter(({ spec }) => spec.nodeName !== client.node);
    if (elsewhere.length === 0) observe('all replicas are on the node of the client');
    else {
      const reached = elsewhere.filter(({ metadata }) => answered.includes(metadata.name));
      expect(reached.length, `replicas on other nodes than ${client.node} that answered`).toBe(
        elsewhere.length,
      );
    }
    observe(`${answered.length} requests without an error, from a pod on ${client.node}`);
  },
);
