/** Which value of a chart does what the documents promise of a value with another name. */
import { DoesNotFit, UsageError } from '../../core/errors.ts';
import { declaredValues, unknownValues } from '../../kube/helm/unknown-values.ts';
import type { Rendered } from '../../kube/helm/types.ts';
import type { KubeObject } from '../../kube/api/types.ts';
import type { Lab } from './lab.ts';

interface ValueEffect {
  /** The documented path: `replicaCount`. */
  documented: string;
  /** What the value sets, for messages: `the number of replicas of Deployment web`. */
  sets: string;
  /** Reads in what is rendered what the value sets. */
  read: (rendered: { objects: readonly KubeObject[]; namespace: string }) => unknown;
  /** Another value than the one that is rendered. */
  other: string;
}

/**
 * The documented value where the chart declares it. Otherwise the value that equals what is rendered, and whose change changes it.
 *
 * @returns its path for `--set`
 * @throws DoesNotFit when no value does
 */
export async function valueBehind(lab: Lab, effect: ValueEffect): Promise<string> {
  const { documented, sets, read, other } = effect;
  const source = lab.source();
  if ((await unknownValues(source, [`${documented}=x`])).length === 0) return documented;
  const now = String(read(await lab.subject()));
  const candidates = (await declaredValues(source)).filter(({ value }) => String(value) === now);
  for (const { path } of candidates) {
    const changed = await renderedWith(lab, `${path}=${other}`);
    if (changed && String(read({ ...changed, namespace: source.namespace })) === other) return path;
  }
  throw new DoesNotFit(`the chart has no value ${documented}, and no other value sets ${sets}`);
}

/** `undefined` when the chart refuses the value. */
async function renderedWith(lab: Lab, pair: string): Promise<Rendered | undefined> {
  try {
    return await lab.render({ set: [pair] });
  } catch (error) {
    if (error instanceof DoesNotFit || error instanceof UsageError) return undefined;
    throw error;
  }
}
