/** The requirement catalogue of a suite, from its requirements.yaml. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { UsageError } from '../../core/errors.ts';

const requirement = z.strictObject({
  id: z.string().regex(/^[A-Z]+-\d+$/),
  /** The document that states it. */
  source: z.string(),
  requirement: z.string(),
  /** How it is verified. */
  check: z.string(),
  /** S rendered manifest or strict dry-run, L live state or behaviour, D disruptive or negative. */
  kind: z.array(z.enum(['S', 'L', 'D'])).min(1),
  /** `advice`: a failure is a warning. Absent: a promise. */
  level: z.enum(['promise', 'advice']).optional(),
  /** The shared requirement (X-…) that says the same: its check verifies this row, too. */
  checkedBy: z
    .string()
    .regex(/^X-\d+$/)
    .optional(),
  /** The interpretation, where the text contradicts Kubernetes or another document. */
  decision: z.string().optional(),
  /** The unit test that verifies it, and the defects with which the test is seen to fail: for what is about the suites themselves. */
  tested: z.strictObject({ file: z.string(), faults: z.array(z.string()).min(1) }).optional(),
  /** Why the requirement cannot apply. */
  notApplicable: z.string().optional(),
});

export type Requirement = z.infer<typeof requirement>;

/**
 * The requirements of a suite, without the shared ones.
 *
 * @throws UsageError naming the file and the invalid entry
 */
export async function requirementsOf(suite: {
  directory: string;
  anyChart?: boolean;
  requirements?: readonly Requirement[];
}): Promise<readonly Requirement[]> {
  // The suite for any chart has only shared requirements.
  if (suite.anyChart) return [];
  return suite.requirements ?? loadRequirements(join(suite.directory, 'requirements.yaml'));
}

/**
 * Reads a requirements.yaml.
 *
 * @throws UsageError naming the file and the invalid entry
 */
export async function loadRequirements(file: string): Promise<Requirement[]> {
  const bad = (why: string, cause?: unknown): UsageError =>
    new UsageError('E_REQUIREMENTS', `${file}: ${why}`, {
      hint: 'Each entry needs id, source, requirement, check and kind; see CONTRIBUTING.md.',
      cause,
    });
  const content = await readYaml(file).catch((error: unknown) => {
    throw bad('it cannot be read', error);
  });
  const parsed = z.array(requirement).safeParse(content);
  if (!parsed.success) throw bad(z.prettifyError(parsed.error));
  const ids = parsed.data.map((r) => r.id);
  const duplicate = ids.find((id, index) => ids.indexOf(id) !== index);
  if (duplicate !== undefined) throw bad(`duplicate id ${duplicate}`);
  return parsed.data;
}

async function readYaml(file: string): Promise<unknown> {
  return parse(await readFile(file, 'utf8'));
}
