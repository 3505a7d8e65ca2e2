/** Which of several things of a subject plays a role that the documents give a name. */
import { DoesNotFit, NameMissing } from '../../../core/errors.ts';
import { count, listed } from '../../../core/wording.ts';

/** What shows that a thing plays the role. */
interface Trait<T> {
  /** Completes a sentence about the thing: `serves port 3000`. */
  says: string;
  has: (candidate: T) => boolean;
}

interface Role<T> {
  /** For messages: `the server`. */
  title: string;
  /** The one that has the documented name plays the role, whatever else it has. */
  isDocumented: (candidate: T) => boolean;
  /** In the order of their weight. */
  traits: readonly Trait<T>[];
  nameOf: (candidate: T) => string;
}

/**
 * The candidate with the documented name; otherwise each trait in turn leaves only those that have it, unless none has it. A single
 * candidate plays the role in any case.
 *
 * @throws NameMissing when there is no candidate; DoesNotFit with the candidates when several are left
 */
export function playing<T>(candidates: readonly T[], { title, isDocumented, traits, nameOf }: Role<T>): T {
  const documented = candidates.find(isDocumented);
  if (documented !== undefined) return documented;
  let left = candidates;
  for (const { has } of traits) {
    const having = left.filter(has);
    if (having.length > 0) left = having;
  }
  const [one, ...others] = left;
  if (one === undefined) throw new NameMissing(`the chart renders nothing that could be ${title}`);
  if (others.length === 0) return one;
  throw new DoesNotFit(
    `${count(left.length, 'candidate')} for ${title}, and none has the documented name: ${listed(left.map(nameOf))}`,
    { hint: `None stands out by one of these: it ${traits.map(({ says }) => says).join('; it ')}.` },
  );
}
