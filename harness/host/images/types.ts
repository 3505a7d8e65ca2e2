/** Where images come from. Recipes stand beside the image they build (fixtures/images), the harness only runs them. */
import type { CommandRunner } from '../../core/command.ts';
import type { Log } from '../../core/log.ts';

/** Label on every image that a recipe has built; its value is the recipe's fingerprint. */
export const FINGERPRINT_LABEL = 'kindproof.dev/fingerprint';

export interface BuildContext {
  run: CommandRunner;
  log: Log;
  signal: AbortSignal;
  /** An empty folder of this build's own. */
  workDir: string;
  onProgress: (text: string) => void;
}

/** How an image is made when no registry has it. */
export interface ImageRecipe {
  /** The reference that it builds. */
  ref: string;
  /** Changes exactly when the image would: a digest over everything that goes into it. */
  fingerprint(): Promise<string>;
  /** Leaves `ref` in the local engine, labelled `kindproof.dev/fingerprint=<fingerprint>`. */
  build(context: BuildContext): Promise<void>;
}

/** One image that the subject needs. */
export interface PlannedImage {
  name: string;
  ref: string;
  /** `Deployment toolman: container toolman`, for messages. */
  namedBy: string[];
  /** The builder of exactly this reference, if there is one. */
  recipe?: ImageRecipe;
}

export interface ImagePlan {
  images: PlannedImage[];
}

export type ImageSource = 'present' | 'built' | 'pulled' | 'unavailable';

export interface PreparedImage {
  name: string;
  ref: string;
  /** The engine's image id (`sha256:…`), which pods show as imageID; absent when the image is unavailable. */
  digest?: string;
  source: ImageSource;
  /** Why it is unavailable. */
  reason?: string;
  namedBy: string[];
}
