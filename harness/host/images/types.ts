/** Types of image preparation. The recipes are in fixtures/images; the harness only runs them. */
import type { CommandRunner } from '../../core/command.ts';
import type { Log } from '../../core/log.ts';
import type { PullFailure } from './pull-failure.ts';

/** Label of every image built by a recipe; its value is the recipe's fingerprint. */
export const FINGERPRINT_LABEL = 'kindproof.dev/fingerprint';

export interface BuildContext {
  run: CommandRunner;
  log: Log;
  signal: AbortSignal;
  /** An empty folder for this build. */
  workDir: string;
  onProgress: (text: string) => void;
}

/** How to build an image that no registry has. */
export interface ImageRecipe {
  /** The reference of the built image. */
  ref: string;
  /** A digest of all build inputs: changes exactly when the image changes. */
  fingerprint(): Promise<string>;
  /** Builds `ref` in the local engine, with the label `kindproof.dev/fingerprint=<fingerprint>`. */
  build(context: BuildContext): Promise<void>;
}

/** One image that the subject needs. */
export interface PlannedImage {
  name: string;
  ref: string;
  /** `Deployment toolman: container toolman`, for messages. */
  namedBy: string[];
  /** The recipe for exactly this reference, if any. */
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
  /** Digest of its manifest in the registry of the reference, `sha256:…`; absent when the engine knows none. */
  manifest?: string;
  /** Built by a recipe of the project: a stand-in, not the user's image of that name. */
  standIn: boolean;
  source: ImageSource;
  /** Why it is unavailable. */
  failure?: PullFailure;
  namedBy: string[];
}
