/** Tolerations in manifests: exactly the required taint, nothing wider. */
import type { KubeObject, PodSpec } from '../../../kube/api/types.ts';
import { nameOf, podSpecOf } from '../../../kube/manifests/objects.ts';
import { selectedNothing } from '../select.ts';
import { nothingWrong, type PredicateResult } from '../result.ts';

interface ToleratedTaint {
  key: string;
  effect: string;
}

type Toleration = NonNullable<PodSpec['tolerations']>[number];

/**
 * The pods tolerate the taint with any value, and no other key or effect.
 *
 * Kubernetes documentation, "Taints and Tolerations": without a key every taint is tolerated, without an effect every effect.
 */
export function toleratesOnly(object: KubeObject, taint: ToleratedTaint): PredicateResult {
  const wanted = `${taint.key}:${taint.effect}`;
  const expected = `${nameOf(object)} tolerates ${wanted} with any value, and nothing else`;
  const spec = podSpecOf(object);
  if (!spec) return selectedNothing(expected, `${nameOf(object)} has no pod template`);
  const tolerations = spec.tolerations ?? [];
  const widths = tolerations.flatMap((toleration) => tooWide(toleration, taint));
  const about = tolerations.filter(
    (t) => (!t.key || t.key === taint.key) && (!t.effect || t.effect === taint.effect),
  );
  const any = about.some((t) => t.operator === 'Exists');
  const values = about.map((t) => `"${t.value ?? ''}"`).join(', ');
  const gap = any
    ? []
    : [
        about.length === 0
          ? `${wanted} is not tolerated`
          : `${wanted} is tolerated with the value ${values} only`,
      ];
  return nothingWrong(expected, [...gap, ...widths]);
}

function tooWide({ key, effect, operator }: Toleration, taint: ToleratedTaint): string[] {
  if (!key) return operator === 'Exists' ? ['every taint is tolerated, whatever its key'] : [];
  if (key !== taint.key) return [`${key}${effect ? `:${effect}` : ''} is tolerated as well`];
  if (!effect) return [`${key} is tolerated with every effect, NoExecute too`];
  return effect === taint.effect ? [] : [`${key}:${effect} is tolerated as well`];
}
