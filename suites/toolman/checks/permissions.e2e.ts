/** What the ServiceAccount of the pods may do, as the API server evaluates it, and what the application does with it. */
import { isAllowed, type AccessRequest } from '../../../harness/kube/api/access-review.ts';
import { eventually } from '../../../harness/observe/waits/eventually.ts';
import { nothingWrong, type PredicateResult } from '../../../harness/observe/predicates/result.ts';
import { expect } from '../../../harness/run/suite/assertions.ts';
import { requirement } from '../kit.ts';
import { serverIn } from '../server.ts';
import { serverPod } from '../server-pods.ts';

const CATALOG = 'toolman-tool-catalog';
const KEY = 'tool-catalog.json';

const ALLOWED: readonly AccessRequest[] = [
  ...['get', 'list', 'create'].map((verb) => ({ verb, resource: 'configmaps' })),
  ...['update', 'patch'].map((verb) => ({ verb, resource: 'configmaps', name: CATALOG })),
];

const DENIED: readonly AccessRequest[] = [
  ...['get', 'list', 'watch', 'create', 'delete'].map((verb) => ({ verb, resource: 'secrets' })),
  ...['get', 'list', 'create', 'delete'].map((verb) => ({ verb, resource: 'pods' })),
  { verb: 'create', resource: 'pods', subresource: 'exec' },
  { verb: 'get', resource: 'deployments', group: 'apps' },
  ...['update', 'patch', 'delete'].map((verb) => ({ verb, resource: 'configmaps' })),
  { verb: 'create', resource: 'rolebindings', group: 'rbac.authorization.k8s.io' },
];

requirement(
  'TA-23',
  'may read and create ConfigMaps and change its tool catalogue, and nothing else',
  async ({ release, kube, observe }) => {
    const { namespace } = serverIn(release);
    const name = (await serverPod(release)).spec.serviceAccountName ?? 'default';
    const answers = async (requests: readonly AccessRequest[], wanted: boolean): Promise<string[]> => {
      const found = await Promise.all(
        requests.map((request) => isAllowed(kube, { namespace, name }, request)),
      );
      return requests
        .filter((_, at) => found[at] !== wanted)
        .map((request) => `${wanted ? 'may not' : 'may'} ${says(request)}`);
    };
    const wrong = [...(await answers(ALLOWED, true)), ...(await answers(DENIED, false))];
    await expect(nothingWrong(`ServiceAccount ${name} has the documented rights`, wrong)).toHold();
    observe(`${ALLOWED.length} rights granted, ${DENIED.length} denied`);
  },
);

requirement(
  'TA-23',
  'publishes its tools in ConfigMap toolman-tool-catalog',
  async ({ release, kube, observe }) => {
    const { namespace } = serverIn(release);
    // The application publishes after its port has opened.
    const published = async (): Promise<PredicateResult> => {
      const catalog = await kube.get('ConfigMap', { name: CATALOG, namespace });
      const text = catalog?.data?.[KEY] ?? '';
      return {
        ok: text !== '',
        expected: `ConfigMap ${CATALOG} has the tools under ${KEY}`,
        actual: catalog
          ? `it has ${Object.keys(catalog.data ?? {}).join(', ') || 'no data'}`
          : 'it does not exist',
        observed: [`${text.length} characters`],
      };
    };
    const result = await eventually(published);
    await expect(result).toHold();
    observe(result.observed?.[0] ?? '');
  },
);

function says({ verb, resource, subresource, name }: AccessRequest): string {
  const what = subresource === undefined ? resource : `${resource}/${subresource}`;
  return `${verb} ${what}${name === undefined ? '' : ` ${name}`}`;
}
