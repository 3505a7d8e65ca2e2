/** A webhook that does not answer, so that the API server refuses pods: also one that these very pods serve. */
import type { Cause } from '../diagnosis.ts';
import type { Service } from '../../../kube/api/types.ts';
import { listed } from '../../../core/wording.ts';
import type { World } from '../world.ts';
import { HINT } from './hints.ts';

/**
 * The Service behind the webhook, from the URL that the API server called.
 *
 * @param message of a FailedCreate event
 * @returns undefined when the message names no webhook that failed to answer
 */
export function explainWebhook(message: string, world: World): { causes: Cause[]; hint: string } | undefined {
  if (!message.includes('failed calling webhook')) return undefined;
  const [, name, namespace] = /"https:\/\/([\w-]+)\.([\w-]+)\.svc[:/]/.exec(message) ?? [];
  if (name === undefined || namespace === undefined) return { causes: [], hint: HINT.webhookSilent };
  if (namespace !== world.namespace)
    return {
      causes: [],
      hint: `Check Service ${name} in namespace ${namespace} and its pods: the API server asks this webhook before it creates a pod.`,
    };
  if (/x509|certificate/.test(message)) return { causes: [], hint: HINT.webhookCertificate };
  const service = world.services.find(({ metadata }) => metadata.name === name);
  const says = service === undefined ? 'does not exist' : whyNoAnswer(service, message, world);
  return {
    causes: [{ object: `Service ${name}`, says: `is in the namespace of the refused pods, and ${says}` }],
    hint: HINT.ownWebhook,
  };
}

function whyNoAnswer(service: Service, message: string, world: World): string {
  const endpoints = world.slices
    .filter((s) => s.metadata.labels?.['kubernetes.io/service-name'] === service.metadata.name)
    .flatMap((slice) => slice.endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);
  if (endpoints.length === 0 || message.includes('no endpoints available')) return 'has no ready endpoint';
  const ports = (service.spec.ports ?? []).map(({ port, targetPort = port }) => String(targetPort));
  return `leads to port ${listed(ports)}, ${portTrouble(message)}`;
}

function portTrouble(message: string): string {
  if (message.includes('refused')) return 'where nothing listens';
  if (/HTTP response to HTTPS client|does not look like a TLS handshake/.test(message))
    return 'which does not speak TLS, as every webhook has to';
  return 'which gives no answer';
}
