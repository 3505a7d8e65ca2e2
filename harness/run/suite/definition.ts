/** The definition of a suite: what it tests, on which nodes, and the faults that prove its checks. */
import type { MaybePrepared, SuiteEnvironment } from './environment.ts';
import type { ImageRecipe } from '../../host/images/types.ts';
import type { ManifestPatch } from '../../kube/manifests/patch.ts';
import type { Topology } from '../../kube/cluster/cluster.ts';
import type { AttachedCluster } from './attached-cluster.ts';
import type { Release } from './release.ts';
import type { Requirement } from './requirements.ts';

/** An image that the subject runs, under the name that `--image NAME=REF` uses. */
export interface SubjectImage {
  name: string;
  /** Builds the image when no registry serves it. */
  recipe: ImageRecipe;
  /** How `--image` replaces the reference: by helm `--set` values, or in the containers of these names. */
  override: ((ref: string) => string[]) | { containers: readonly string[] };
  /** The checks need it even if the subject does not name it. */
  always?: boolean;
}

/** A conforming subject that belongs to kindproof: the checks pass on it, and faults are injected into it. */
export interface ReferenceSubject {
  /** Path of the chart, or of a folder with plain manifests. */
  chart: string;
  /** Values files of the conforming release. */
  values: readonly string[];
  images: readonly SubjectImage[];
  /** Build further images that no registry serves, when the subject names them. */
  recipes?: readonly ImageRecipe[];
  /** The description of a platform, which is tested in place of the chart. */
  platform?: string;
  /** How the version before differs: the subject is upgraded from it, and taken back to it. */
  previous?: PreviousVersion;
}

/** An earlier version of a reference subject: its files with an earlier version in Chart.yaml, and these differences. */
export interface PreviousVersion {
  /** Of the chart; plain manifests have none. */
  version?: string;
  patches: readonly ManifestPatch[];
}

/** For a suite that also tests platforms: programs of any kind that deploy and manage what its chart would. */
export interface PlatformSupport {
  /** The requirements that are verified through a platform; a run with one checks only these. */
  requirements: readonly string[];
  /**
   * Reads a description, before anything is created.
   *
   * @throws UsageError `E_PLATFORM` with what is wrong in the file, and what to write
   */
  validate(file: string): Promise<PlatformIdentity>;
}

/** What a platform is called, and the files on this machine that its description names. */
export interface PlatformIdentity {
  name: string;
  /** Absolute: the description itself, and programs that it names by a path. */
  files: readonly string[];
}

export interface SuiteDefinition<Options = unknown, Prepared extends MaybePrepared = MaybePrepared> {
  name: string;
  title: string;
  /** Judges any chart by what it renders: the suite of a chart that is given without one. */
  anyChart?: boolean;
  /** Folder of the suite: the checks/*.e2e.ts, and requirements.yaml when it has requirements of its own. */
  directory: string;
  /** In place of a requirements.yaml. */
  requirements?: readonly Requirement[];
  /** Absolute paths of the files that declare its checks and its proofs; absent for the suites of this project. */
  code?: { checks: string; proofs: string };
  /** Files with checks, relative to the directory, in running order. */
  files: readonly string[];
  topology: Topology;
  /** The reference subject; every release of the suite has `releaseName`. */
  subject: ReferenceSubject & { releaseName: string };
  /** Further reference subjects of other shapes, by the name that `--reference` and faults use. */
  references?: Readonly<Record<string, ReferenceSubject>>;
  /** For subjects whose documents state no times; the defaults are those of the harness. */
  limits?: {
    /** For the rollout of a release. */
    rolloutMs: number;
    /** For each hook of a chart. */
    hookMs: number;
  };
  /** Programs outside the cluster that the subject needs: a database, another service. */
  environment?: SuiteEnvironment<Options, Prepared>;
  /** Absent when the suite tests charts only. */
  platform?: PlatformSupport;
  /** Documented values files that must render; checked statically. By name. */
  valuesVariants: Readonly<Record<string, string>>;
  faults: readonly Fault[];
  /** Shared requirements (X-…) that this suite verifies. */
  shared: readonly string[];
}

/** A named defect that is injected into a subject, to prove that a check detects it. */
export interface Fault {
  /** kebab-case, unique in its suite. */
  name: string;
  /** What is broken, as a sentence. */
  description: string;
  /** All of them must fail. */
  requirements: readonly string[];
  /** Must match the failure or its diagnosis; a failure for another reason does not count. */
  reason: RegExp;
  /** Tries only the static, or only the live checks of the requirements. */
  checks?: 'static' | 'live';
  /** Applied last, in every install of the check. */
  set?: readonly string[];
  patches?: readonly ManifestPatch[];
  /** Applied to systems that a check installs beside the subject, by their name. */
  neighbours?: Readonly<Record<string, { set?: readonly string[]; patches?: readonly ManifestPatch[] }>>;
  /** Applied to the version before, which gets nothing else of the fault: for a defect that lies in what both have. */
  previous?: readonly ManifestPatch[];
  /** Applied to optional manifests, by the name of their file, for checks that apply those. */
  optional?: Readonly<Record<string, readonly ManifestPatch[]>>;
  /** Changes words of the chart's documents, or takes one away, for checks that follow them. */
  documents?: readonly ({ file: string; replace: string; by: string } | { file: string; missing: true })[];
  /** Variables in the environment of the platform's commands, which switch a defect on. */
  platform?: Readonly<Record<string, string>>;
  /** Runs after the rollout of the release, before the check. */
  disturb?: Disturbance;
  /** Capabilities without which the fault cannot be injected. */
  needs?: readonly string[];
  /**
   * Name of the further reference subject that the defect is injected into. Another chart that is tested gets it as well, unless it is
   * marked with `standIn`.
   */
  reference?: string;
  /** Set when the defect needs a part of the reference subject. Without that part the fault is not provable, and is not injected. */
  standIn?: StandIn;
}

/** A part of the reference subject that has a switch for a defect. The user's own part ignores the switch: the fault would be missed. */
export interface StandIn {
  /**
   * Name of the image of the subject that has to be the stand-in; `chart`: the reference chart; `platform`: the platform of a reference
   * subject.
   */
  part: string;
  /** Why only this part shows the defect, in one clause without a full stop. */
  reason: string;
}

/** Breaks something on a running release, for a fault that no manifest can express. */
export type Disturbance = (context: { release: Release; cluster: AttachedCluster }) => Promise<void>;
