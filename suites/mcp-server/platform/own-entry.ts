import type { Lab } from '../../../harness/run/suite/lab.ts';
import { renderServer } from '../server.ts';
import { documentedEntry, withResources, type RegistryEntry } from './registry-entry.ts';

/** The documented entry with the resources of the subject: those of the documents are too much for a small machine, or too little. */
export async function ownEntry(lab: Lab, namespace: string): Promise<RegistryEntry> {
  const { container } = await renderServer(lab);
  return withResources(documentedEntry(namespace), container.resources);
}
