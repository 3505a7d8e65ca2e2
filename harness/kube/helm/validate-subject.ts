/** Validation of a subject before a cluster exists. */
import { UsageError } from '../../core/errors.ts';
import { checkSubjectFiles } from './subject-files.ts';
import type { Helm, ReleaseRef, Rendered, Subject } from './types.ts';

/**
 * Checks files, then templates, then lint, so that the first error reported is the root cause and not a consequence of it.
 *
 * @returns the rendered objects
 * @throws UsageError E_CHART, E_VALUES, E_SET, E_VALUES_SCHEMA, E_TEMPLATE, E_MANIFEST, E_LINT
 */
export async function validateSubject(
  helm: Pick<Helm, 'render' | 'lint'>,
  subject: Subject & Partial<ReleaseRef>,
): Promise<Rendered> {
  await checkSubjectFiles(subject);
  const rendered = await helm.render({ releaseName: 'validate', namespace: 'default', ...subject });
  const lint = await helm.lint(subject);
  const errors = lint.messages.filter((message) => message.severity === 'error');
  if (lint.ok && errors.length === 0) return rendered;
  const list = errors.map(({ path, text }) => `${path}: ${text}`).join('\n');
  throw new UsageError(
    'E_LINT',
    `helm lint finds errors in chart ${subject.chart}: ${list === '' ? 'non-zero exit code' : list}`,
    { hint: `Run \`helm lint ${subject.chart}\` for the full list.` },
  );
}
