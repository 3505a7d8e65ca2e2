/** The requirement catalogue of a suite, as its requirements.yaml has it. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { UsageError } from '../../core/errors.ts';

const requirement = z.strictObject({
  id: z.string().regex(/^[A-Z]+-\d+$/),
  /** The document that asks for it. */
  source: z.string(),
  requirement: z.string(),
  /** How it is verified, in the catalogue's words. */
  check: z.string(),
  /** S rendered manifest or strict dry-run, L live state or behaviour, D disruptive or negative. */
  kind: z.array(z.enum(['S', 'L', 'D'])).min(1),
  /** Where the literal text contradicts Kubernetes or another document: what was decided. */
  decision: z.string().optional(),
  /** Set when the requirement cannot apply; why. */
  notApplicable: z.string().optional(),
});

export type Requirement = z.infer<typeof requirement>;

/**
 * Reads a requirements.yaml.
 *
 * @throws UsageError naming the file and the entry that is wrong
 */
export async function loadRequirements(file: string): Promise<Requirement[]> {
  const bad = (why: string, cause?: unknown): UsageError =>
    new UsageError('E_REQUIREMENTS', `${file}: ${why}`, {
      hint: 'Each entry needs id, source, requirement, check and kind; see CONTRIBUTING.md.',
      cause,
    });
  const content = await readYaml(file).catch((error: unknown) => {
    throw bad(`it cannot be read`, error);
  });
  const parsed = z.array(requirement).safeParse(content);
  if (!parsed.success) throw bad(z.prettifyError(parsed.error));
  const ids = parsed.data.map((r) => r.id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw bad(`${twice} is there twice`);
  return parsed.data;
}

async function readYaml(file: string): Promise<unknown> {
  return parse(await readFile(file, 'utf8'));
}
