/** Whether a fault fits a subject: a fault that was not injected proves nothing. */
import { isDeepStrictEqual } from 'node:util';
import { CheckFailure, DoesNotFit, UsageError } from '../../core/errors.ts';
import { Lifecycle } from '../../core/lifecycle.ts';
import { firstLine } from '../../core/wording.ts';
import { ApiError } from '../../kube/api/errors.ts';
import type { Rendered } from '../../kube/helm/types.ts';
import type { Fault } from './definition.ts';
import { Lab } from './lab.ts';
import { referenceOf } from './reference.ts';
import { SharedLab } from './shared-lab.ts';

/**
 * Renders the subject with the fault, before anything is installed. Otherwise each check would report the patch that cannot be applied,
 * and its message could even match the reason of the fault.
 *
 * @param shared the lab of the proof
 * @returns why the fault does not fit; `undefined` when it does
 * @throws whatever rendering the subject without the fault throws
 */
export async function misfitOf(fault: Fault, shared: SharedLab): Promise<string | undefined> {
  const lab = labOf(shared);
  try {
    if (fault.set || fault.patches) await lab.subject();
    if (fault.previous) await lab.render({ previous: true });
    for (const file of Object.keys(fault.optional ?? {})) await lab.optional(file);
    for (const { file } of fault.documents ?? []) await lab.document(file);
    return undefined;
  } catch (error) {
    if (!isAboutFit(error)) throw error;
    await labOf(withoutFault(shared)).render();
    return firstLine(error.message);
  }
}

/** The values of the fault change nothing in what the chart renders by itself: probably the chart does not know them. */
export async function areValuesIgnored(fault: Fault, shared: SharedLab): Promise<boolean> {
  if (!fault.set || fault.patches || fault.disturb || fault.optional || fault.documents) return false;
  const [changed, sound] = await Promise.all(
    [shared, withoutFault(shared)].map((lab): Promise<Rendered> => labOf(lab).render()),
  );
  return isDeepStrictEqual(changed, sound);
}

/** The disturbance asked for something that the subject does not have: an object, a program, a reaction. */
export function isMisfitOfDisturbance(error: unknown): boolean {
  return isAboutFit(error) || (error instanceof ApiError && error.status === 404);
}

function isAboutFit(error: unknown): error is Error {
  return error instanceof UsageError || error instanceof CheckFailure || error instanceof DoesNotFit;
}

/** Every fault has to fit the reference subject with its stand-ins: there, a misfit is a defect of the fault. */
export function isReferenceSubject({ deps: { subject, definition } }: SharedLab): boolean {
  const { images } = referenceOf(definition, subject.referenceName);
  return (
    subject.reference &&
    subject.set.length === 0 &&
    subject.images.every(({ name, ref }) => images.some((i) => i.name === name && i.recipe.ref === ref))
  );
}

function withoutFault(shared: SharedLab): SharedLab {
  return new SharedLab({ ...shared.deps, fault: undefined });
}

function labOf(shared: SharedLab): Lab {
  return new Lab(shared, new Lifecycle(shared.deps.log), 'fit');
}
