/** The Secret and the ConfigMap reach the application and determine its behaviour. */
import { nothingWrong } from '../../../harness/observe/predicates/result.ts';
import { parseEnviron } from '../../../harness/observe/predicates/live/process.ts';
import { CheckFailure } from '../../../harness/core/errors.ts';
import { settingsLike, sourceText } from '../../../harness/kube/manifests/model/settings.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { registryApi } from '../api/api-client.ts';
import type { RegistryRelease } from '../environment.ts';
import { requirement } from '../kit.ts';
import { expectedAnswer, GRADED_QUERY, registerGradedTools } from '../api/graded-tools.ts';
import { SECRET, SETTINGS } from '../names.ts';
import type { RegistryNamespace } from '../registry-namespace.ts';
import { replaceServerPods, rolesOf, serverOf, serverPods } from '../roles.ts';
import { configured, replicas } from '../variants.ts';

/** Each check installs a release, and most replace its pods. */
const OWN = { release: 'none', disruptive: true, timeoutMs: 420_000 } as const;

requirement(
  'R-17',
  'has the values of the documented Secret keys in the environment of every replica',
  async ({ release, observe }) => {
    const { databaseUrl, apiKey } = release.environment;
    const documented = { DATABASE_URL: databaseUrl, EMBEDDING_API_KEY: apiKey };
    const { server } = rolesOf(release);
    const complaints: string[] = [];
    for (const pod of await serverPods(release)) {
      const environ = parseEnviron(await release.output(pod, ['cat', '/proc/1/environ'], server.name));
      for (const [key, value] of Object.entries(documented)) {
        const variable = server.env?.find((e) => {
          const reference = e.valueFrom?.['secretKeyRef'];
          return reference?.name === SECRET && reference.key === key;
        });
        const has = variable && environ.get(variable.name);
        const where = `container ${server.name} of ${pod.metadata.name}`;
        // Values are never reported.
        if (!variable) complaints.push(`${where} takes nothing from key ${key} of Secret ${SECRET}`);
        else if (has !== value)
          complaints.push(
            `${where}: ${variable.name} is ${has === undefined ? 'not set, although it refers to' : 'not'} key ${key} of Secret ${SECRET}`,
          );
        else observe(`${where}: ${variable.name} is key ${key} of Secret ${SECRET}`);
      }
    }
    await expect(nothingWrong('every key of the Secret reaches every replica', complaints)).toHold();
  },
);

requirement(
  'R-18',
  'sends the API key to the embedding service as a Bearer token',
  async ({ release, observe }) => {
    const { apiKey } = release.environment;
    const headers = await authorizationOf(release, 'kindproof asks with a key');
    expect(headers.length, 'requests of the embedding service').toBeGreaterThan(0);
    for (const header of headers) {
      expect(header ?? 'none', 'Authorization at the embedding service').toMatch(/^Bearer \S/);
      // Compared here, so that a failure does not repeat the key.
      expect(header === `Bearer ${apiKey ?? ''}`, 'the Bearer token is the key of the Secret').toBe(true);
    }
    observe(`${headers.length} requests carried the Bearer token`);
  },
);

requirement(
  'R-18',
  'starts and searches without an API key, and sends none',
  OWN,
  async ({ lab, observe }) => {
    const release = await lab.install({ patches: await replicas(lab, 1), environment: { apiKey: false } });
    const left = settingsLike(release.objects, SETTINGS.apiKey).filter(({ value }) => value !== undefined);
    expect(
      left.map(({ source }) => sourceText(source)),
      'where an API key is left',
    ).toEqual([]);
    await expect(serverOf(release)).toHaveAvailableReplicas(1);
    const headers = await authorizationOf(release, 'kindproof asks without a key');
    expect(headers, 'Authorization at the embedding service').toEqual([null]);
    observe('available without an API key; one search, no Authorization header');
  },
);

requirement(
  'R-19',
  'calls the configured embedding endpoint, and the new one after a change and a restart',
  OWN,
  async ({ lab, observe }) => {
    const release = await lab.install({ patches: await replicas(lab, 1) });
    const before = release.environment;
    const after = await lab.environment(await lab.namespace());
    await lab.upgrade(release, {
      patches: [...(await replicas(lab, 1)), ...configured({ embeddingUrl: after.embeddingUrl })],
    });
    await expectSearchAt(release, before, 'before the restart');
    await replaceServerPods(lab, release);
    await expectSearchAt(release, after, 'after the restart');
    observe(`first POST ${before.embedding.path}, then POST ${after.embedding.path}`);
  },
);

requirement(
  ['R-20', 'R-21'],
  'searches with threshold 0.7 and limit 5, and with new values after a change and a restart',
  OWN,
  async ({ lab, observe }) => {
    const release = await lab.install({ patches: await replicas(lab, 1) });
    const api = registryApi(release);
    await registerGradedTools(api);
    // All tools, with the similarities that the application reports: what the defaults select of them can be computed.
    const all = await api.findTool({ query: GRADED_QUERY, threshold: 0, limit: 100 });
    const between = all.filter(({ similarity }) => similarity >= 0.7 && similarity < 0.9);
    expect(between.length, 'tools that are found with 0.7 and not with 0.9').toBeGreaterThan(0);
    const expectDefaults = async (threshold: number, limit: number): Promise<void> => {
      const above = expectedAnswer(all, { threshold, limit: 100 });
      const found = await api.findTool({ query: GRADED_QUERY, limit: 100 });
      expect(found, `tools found with the configured threshold ${threshold}`).toEqual(above);
      const first = expectedAnswer(all, { threshold: 0, limit });
      const limited = await api.findTool({ query: GRADED_QUERY, threshold: 0 });
      expect(limited, `tools found with the configured limit ${limit}`).toEqual(first);
      observe(
        `threshold ${threshold} leaves ${found.length} of ${all.length}, limit ${limit} ${limited.length}`,
      );
    };
    await expectDefaults(0.7, 5);
    const changed = { threshold: '0.9', limit: '3' };
    await lab.upgrade(release, { patches: [...(await replicas(lab, 1)), ...configured(changed)] });
    await replaceServerPods(lab, release);
    await expectDefaults(0.9, 3);
  },
);

/** Searches once and returns the Authorization header of that request. */
async function authorizationOf(release: RegistryRelease, query: string): Promise<(string | null)[]> {
  await registryApi(release).findTool({ query });
  const requests = await release.environment.embedding.requests();
  return requests.filter((r) => r.inputs.includes(query)).map((r) => r.authorization ?? null);
}

/** A search, whatever its answer, has to reach that tenant of the embedding service. */
async function expectSearchAt(
  release: RegistryRelease,
  { embedding, embeddingUrl }: RegistryNamespace,
  when: string,
): Promise<void> {
  const query = `kindproof asks ${when}`;
  const { status, body } = await registryApi(release).reach('POST', '/mcp/find_tool', { query });
  const requests = (await embedding.requests()).filter((r) => r.inputs.includes(query));
  if (requests.length === 0)
    throw new CheckFailure(
      'E_NOT_ASKED',
      `${when} the application did not call the embedding endpoint ${embeddingUrl}: the search answered ${status} ${body.slice(0, 120)}`,
    );
  expect(
    requests.map((r) => r.path),
    `path of the call ${when}`,
  ).toEqual([embedding.path]);
  expect(status, `find_tool ${when}`).toBe(200);
}
