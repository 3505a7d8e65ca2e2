/** Everything that can be known to be wrong with a subject before there is a cluster. */
import { UsageError } from '../../core/errors.ts';
import { checkSubjectFiles } from './subject-files.ts';
import type { Helm, ReleaseRef, Rendered, Subject } from './types.ts';

/**
 * Checks from the outside in, so that the first thing that is wrong is told in its own words and not in those of what follows
 * from it.
 *
 * @returns what the subject renders
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
    `helm lint finds errors in chart ${subject.chart}: ${list === '' ? 'it exited with an error' : list}`,
    { hint: `Run \`helm lint ${subject.chart}\` for the full list.` },
  );
}
