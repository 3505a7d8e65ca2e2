/** Proxies and certificate bundles: facts that may explain a later failure. */
import { fine, type Inspection } from '../finding.ts';

const PROXIES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'NO_PROXY', 'no_proxy'];
const BUNDLES = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

export const inspectEnvironment: Inspection = (deps) => {
  const set = (names: readonly string[]) => names.filter((name) => (deps.env[name] ?? '') !== '');
  const proxies = set(PROXIES).map((name) => `${name}=${withoutSecret(deps.env[name] ?? '')}`);
  const bundles = set(BUNDLES).map((name) => `${name}=${deps.env[name]}`);
  return [
    fine('proxy', 'Proxy', proxies.length === 0 ? 'none' : proxies.join(', ')),
    fine(
      'ca-bundle',
      'Certificate bundle',
      bundles.length === 0 ? "the system's" : bundles.join(', '),
      'Image builds receive it as a build secret.',
    ),
  ];
};

/** Removes the credentials of a proxy's address: findings are pasted into issues. */
function withoutSecret(address: string): string {
  return address.replace(/\/\/[^@/]*@/, '//***@');
}
