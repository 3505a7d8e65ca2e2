/** The admission webhooks that Services of the release serve. */
import { z } from 'zod';
import { matchesSelector } from '../../api/selectors.ts';
import type { KubeObject, Service } from '../../api/types.ts';
import { nameOf } from '../objects.ts';
import { lasting, namespaceOf } from './subject-model.ts';
import type { ModelWorkload, SubjectModel } from './model.ts';

/** Kinds with a list of webhooks. */
export const WEBHOOK_KINDS = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'] as const;

const selectorSchema = z.looseObject({}).nullish();
const configurationSchema = z.looseObject({
  webhooks: z
    .array(
      z.looseObject({
        name: z.string(),
        failurePolicy: z.string().optional(),
        clientConfig: z.looseObject({
          service: z.looseObject({ name: z.string(), namespace: z.string() }).nullish(),
        }),
        rules: z
          .array(
            z.looseObject({
              apiGroups: z.array(z.string()).default([]),
              resources: z.array(z.string()).default([]),
              operations: z.array(z.string()).default([]),
              scope: z.string().optional(),
            }),
          )
          .nullish(),
        namespaceSelector: selectorSchema,
        objectSelector: selectorSchema,
        matchConditions: z.array(z.unknown()).nullish(),
      }),
    )
    .nullish(),
});

type WebhookEntry = NonNullable<z.infer<typeof configurationSchema>['webhooks']>[number];

export interface OwnWebhook {
  name: string;
  /** `webhook pods.example.com of ValidatingWebhookConfiguration guard`. */
  title: string;
  /** Refuses what it is asked about while nothing answers. */
  fails: boolean;
  /** Lasting workloads behind its Service. */
  servers: readonly ModelWorkload[];
  entry: WebhookEntry;
}

/**
 * The webhooks whose Service the release renders.
 *
 * @param configurations rendered ones, or those of the cluster: an operator may create them at run time
 */
export function ownWebhooks(
  configurations: readonly KubeObject[],
  model: SubjectModel,
  release: { namespace: string },
): OwnWebhook[] {
  const servedBy = (service: { name: string; namespace: string }): ModelWorkload[] =>
    lasting(model).filter(({ services }) =>
      services.some(
        (one: Service) =>
          one.metadata.name === service.name && namespaceOf(one, release) === service.namespace,
      ),
    );
  return configurations.flatMap((configuration) =>
    (configurationSchema.safeParse(configuration).data?.webhooks ?? []).flatMap((entry): OwnWebhook[] => {
      const { service } = entry.clientConfig;
      const servers = service ? servedBy(service) : [];
      if (servers.length === 0) return [];
      const title = `webhook ${entry.name} of ${nameOf(configuration)}`;
      // The default is Fail (admissionregistration.k8s.io/v1).
      return [{ name: entry.name, title, fails: entry.failurePolicy !== 'Ignore', servers, entry }];
    }),
  );
}

/**
 * Whether the webhook is asked when a pod of the workload is created. `undefined` when CEL conditions decide.
 *
 * @param namespaceLabels of the workload's namespace
 */
export function isAskedAboutPods(
  { entry }: OwnWebhook,
  { template }: ModelWorkload,
  namespaceLabels: Readonly<Record<string, string>>,
): boolean | undefined {
  const matches =
    (entry.rules ?? []).some(
      ({ apiGroups, resources, operations, scope }) =>
        apiGroups.some((one) => one === '' || one === '*') &&
        resources.some((one) => ['pods', '*', '*/*'].includes(one)) &&
        operations.some((one) => one === 'CREATE' || one === '*') &&
        scope !== 'Cluster',
    ) &&
    selects(entry.namespaceSelector, namespaceLabels) &&
    selects(entry.objectSelector, template.metadata.labels ?? {});
  if (!matches) return false;
  return (entry.matchConditions ?? []).length > 0 ? undefined : true;
}

/** A missing selector selects everything (admissionregistration.k8s.io/v1). */
function selects(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
  return matchesSelector(selector ?? {}, labels);
}
