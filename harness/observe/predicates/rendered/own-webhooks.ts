/** Admission webhooks that would keep their own pods from starting. */
import { isAskedAboutPods, type OwnWebhook } from '../../../kube/manifests/model/own-webhooks.ts';
import { listed } from '../../../core/wording.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';

/**
 * No webhook refuses the very pods that would have to answer it. A webhook that another workload serves as well is left to the live check,
 * like one with CEL conditions.
 *
 * @param labelsOf the labels of a namespace
 */
export function ownPodsAreAdmitted(
  webhooks: readonly OwnWebhook[],
  labelsOf: (namespace: string | undefined) => Readonly<Record<string, string>>,
): PredicateResult {
  const wrong = webhooks.filter(
    (webhook) =>
      webhook.fails &&
      webhook.servers.every((server) =>
        isAskedAboutPods(webhook, server, labelsOf(server.object.metadata.namespace)),
      ),
  );
  return nothingWrong(
    'no webhook with failurePolicy Fail is asked about the pods that serve it',
    wrong.map(
      ({ title, servers }) =>
        `${title} has failurePolicy Fail and matches the pods of ${listed(servers.map((one) => one.title))}, which serve it: once they are gone, none can be created`,
    ),
  );
}
