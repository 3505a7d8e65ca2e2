/** What a suite says about itself: what it tests, on what, and the faults that prove its checks. */
import type { SuiteEnvironment } from './environment.ts';
import type { ImageRecipe } from '../../host/images/types.ts';
import type { ManifestPatch } from '../../kube/manifests/patch.ts';
import type { Topology } from '../../kube/cluster/cluster.ts';
import type { Disturbance } from './disturbance.ts';

/** An image that the subject runs, under the name that `--image NAME=REF` uses. */
export interface SubjectImage {
  name: string;
  /** Where it comes from when no registry has it. */
  recipe: ImageRecipe;
  /** Puts another reference in its place: by helm `--set` values, or in the containers of these names. */
  override: ((ref: string) => string[]) | { containers: readonly string[] };
  /** The checks need it, whether or not the subject names it. */
  always?: boolean;
}

export interface SuiteDefinition {
  name: string;
  title: string;
  /** Folder of the suite: its requirements.yaml and its *.e2e.ts files. */
  directory: string;
  /** Files with checks in the order of running: what the others rest on comes first. */
  files: readonly string[];
  topology: Topology;
  subject: {
    /** Path of the reference chart, or of a folder with plain manifests. */
    chart: string;
    /** Values files laid over the chart's own, for the conforming release. */
    values: readonly string[];
    releaseName: string;
    images: readonly SubjectImage[];
  };
  /** What the subject has to find beside it: a database, another service. */
  environment?: SuiteEnvironment;
  /** Documents' values files that have to render and are checked statically, by name. */
  valuesVariants: Readonly<Record<string, string>>;
  faults: readonly Fault[];
  /** Requirements of the shared catalogue (X-…) that this suite verifies. */
  shared: readonly string[];
}

/** A named defect put into a subject: the proof that a check tests something. */
export interface Fault {
  /** kebab-case, unique in its suite. */
  name: string;
  /** What is broken, as a sentence. */
  description: string;
  /** Every one of them has to turn red. */
  requirements: readonly string[];
  /** What the failing check, or its diagnosis, has to say. Red for another reason does not count. */
  reason: RegExp;
  /** Only these checks of the requirements are tried: those of the rendered manifests, or those of the running system. */
  checks?: 'static' | 'live';
  /** Laid over everything else, in every install of the check under proof. */
  set?: readonly string[];
  patches?: readonly ManifestPatch[];
  /** Laid over optional manifests, by the name of their file, for checks that apply those. */
  optional?: Readonly<Record<string, readonly ManifestPatch[]>>;
  /** Other words in the chart's documents, for checks that do what those say. */
  documents?: readonly { file: string; replace: string; by: string }[];
  /** Done to the running release after its rollout, before the check. */
  disturb?: Disturbance;
  /** Capability without which the fault cannot be put in. */
  needs?: readonly string[];
}
