/** Helm's post-renderer, which runs between rendering and sending: manifests in, patched manifests out. */
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import type { ManifestPatch } from '../manifests/patch.ts';
import { patchObjects } from '../manifests/patch.ts';
import { GO_YAML, parseManifests } from '../manifests/parse.ts';

/**
 * Applies patches to a multi-document manifest. Documents that no patch changes keep their exact text.
 *
 * @throws UsageError when a patch selects nothing or cannot be applied
 */
export function postRender(text: string, patches: readonly ManifestPatch[]): string {
  const manifests = parseManifests(text);
  const patched = patchObjects(
    manifests.map((manifest) => manifest.object),
    patches,
  );
  const documents = manifests.map(({ object, source, text: original }, index) => {
    if (isDeepStrictEqual(object, patched[index])) return original;
    const comment = source === undefined ? '' : `# Source: ${source}\n`;
    // Written as YAML 1.1, which helm reads, so that "on" and "0400" stay strings.
    return (
      comment +
      stringify(patched[index], {
        version: GO_YAML.version,
        lineWidth: 0,
        aliasDuplicateObjects: false,
      }).trimEnd()
    );
  });
  return documents.map((document) => `---\n${document}\n`).join('');
}
