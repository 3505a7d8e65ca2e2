/** Whether what a check changes about the subject fits it: values, patches, and what the environment writes into it. */
import { isDeepStrictEqual } from 'node:util';
import { maskSet } from '../../core/credentials.ts';
import { CheckFailure, DoesNotFit, UsageError } from '../../core/errors.ts';
import { misshapenValues, unknownValues } from '../../kube/helm/unknown-values.ts';
import type { ChartSource, Rendered } from '../../kube/helm/types.ts';

export interface OwnChanges {
  render: (source: ChartSource) => Promise<Rendered>;
  /** The subject with the changes. */
  source: ChartSource;
  /** The subject without them. */
  sound: ChartSource;
  /** The values of the subject. */
  given: readonly string[];
  /** The values of the check. */
  set: readonly string[];
}

/**
 * Renders the subject with the changes.
 *
 * @throws DoesNotFit when the subject renders only without them, or the chart ignores a value of the check, or has it in another form
 * @throws CheckFailure when the subject does not render without them either
 */
export async function renderFitting(changes: OwnChanges): Promise<Rendered> {
  const { render, source, sound } = changes;
  try {
    const rendered = await render(source);
    await rejectMisshapenValues(changes);
    await rejectIgnoredValues(changes);
    return rendered;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (!isDeepStrictEqual(source, sound)) {
      await renderSound(changes);
      throw new DoesNotFit(`what the check changes does not fit the subject: ${error.message}`, {
        hint: error.hint,
        cause: error,
      });
    }
    throw ofSubject(error);
  }
}

/**
 * Why the subject refuses the changes; `undefined` when it renders with them.
 *
 * @throws DoesNotFit when the chart ignores a value of the check, or has no values; CheckFailure as `renderFitting`
 */
export async function refusalOf(changes: OwnChanges): Promise<UsageError | undefined> {
  try {
    await renderFitting(changes);
    return undefined;
  } catch (error) {
    const { cause } = error instanceof DoesNotFit ? error : {};
    if (cause instanceof UsageError && REFUSALS.includes(cause.code)) return cause;
    throw error;
  }
}

/** What a chart can say itself: in a template, or by its schema. */
const REFUSALS: readonly string[] = ['E_TEMPLATE', 'E_VALUES_SCHEMA'];

async function renderSound({ render, sound }: OwnChanges): Promise<void> {
  try {
    await render(sound);
  } catch (error) {
    throw error instanceof UsageError ? ofSubject(error) : error;
  }
}

/** In a check, a subject that does not render breaks its promise. */
function ofSubject(error: UsageError): CheckFailure {
  return new CheckFailure(error.code, error.message, { hint: error.hint, cause: error });
}

async function rejectMisshapenValues({ source, set }: OwnChanges): Promise<void> {
  // A pair that sets a whole list or map, or removes something, fits any form.
  const single = set.filter((pair) => !/=(\{|null$)/.test(pair));
  const [says] = await misshapenValues(source, single);
  if (says === undefined) return;
  throw new DoesNotFit(says, { hint: 'The check needs the value in another form than this chart has it.' });
}

/** Without patches and faults: they may change what the value changes. */
async function rejectIgnoredValues({ render, source, given, set }: OwnChanges): Promise<void> {
  const unknown = await unknownValues({ ...source, set: given }, set);
  if (unknown.length === 0) return;
  const bare: ChartSource = { ...source, patches: [], set: given };
  const without: ChartSource = { ...bare, set: [...given, ...set.filter((pair) => !unknown.includes(pair))] };
  const [changed, once, twice] = await Promise.all([
    render({ ...bare, set: [...given, ...set] }),
    render(without),
    // Generated passwords and certificates are different each time.
    render(without),
  ]);
  const isChanged =
    changed.objects.length !== once.objects.length ||
    once.objects.some((object, at) => {
      const isStable = isDeepStrictEqual(object, twice.objects[at]);
      return isStable && !isDeepStrictEqual(object, changed.objects[at]);
    });
  if (isChanged) return;
  const names = unknown.map((pair) => maskSet(pair)).join(', ');
  throw new DoesNotFit(`the chart ignores what the check sets: ${names}`, {
    hint: 'The check needs a value that this chart does not have.',
  });
}
