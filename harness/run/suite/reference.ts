/** The reference subjects of a suite: the first one, which has no name, and those of other shapes. */
import type { Fault, ReferenceSubject, SuiteDefinition } from './definition.ts';
import type { SubjectConfig, WorkerConfig } from './worker-config.ts';

/**
 * The reference subject of this name; the first one without a name.
 *
 * @throws TypeError when the suite has none of this name: a defect of the suite
 */
export function referenceOf(
  { name: suite, subject, references }: Pick<SuiteDefinition, 'name' | 'subject' | 'references'>,
  name: string | undefined,
): ReferenceSubject {
  if (name === undefined) return subject;
  const found = references?.[name];
  if (!found) throw new TypeError(`suite ${suite} has no reference subject "${name}"`);
  return found;
}

/** What a fault is injected into: the reference subject that it names, unless the subject of the run replaces that one. */
export function subjectFor(
  fault: Pick<Fault, 'reference'> | undefined,
  { subject, references = {} }: Pick<WorkerConfig, 'subject' | 'references'>,
): SubjectConfig {
  return (fault?.reference === undefined ? undefined : references[fault.reference]) ?? subject;
}
