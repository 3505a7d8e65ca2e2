/** What one preflight inspection found about this machine. */
import type { CommandRunner } from '../../core/command.ts';
import type { Clock } from '../../core/deadline.ts';
import type { Log } from '../../core/log.ts';
import type { ToolName } from '../tools/versions.ts';
import type { Machine } from './machine.ts';

export type FindingStatus = 'ok' | 'warning' | 'problem' | 'fixed';

/** A `problem` stops the run; a `warning` may make it fail or leave something behind. */
export interface Finding {
  /** Stable, kebab-case: `inotify-instances`. */
  id: string;
  title: string;
  status: FindingStatus;
  /** What was observed, with figures. */
  found: string;
  /** Why it matters to a run. */
  why: string;
  /** What to do, with the exact commands; empty when there is nothing to do. */
  remedy: string;
  /** Present when kindproof can fix it. */
  fix?: () => Promise<void>;
  /** What `fix` does to the machine, completing "This will …"; absent when it only changes the project's folder. */
  changes?: string;
}

/** What to do about a finding, and how kindproof does it. */
export type Remedy = Pick<Finding, 'remedy' | 'fix' | 'changes'>;

/** `Title: what was found.`, without a second full stop after a quoted message. */
export function sentenceOf({ title, found }: Pick<Finding, 'title' | 'found'>): string {
  return `${title}: ${found}${/[.?!]$/.test(found) ? '' : '.'}`;
}

/** What the planned run needs. */
export interface PreflightNeed {
  /** `existing`: no nodes are started here; the engine is only needed to build images. */
  cluster: 'kind' | 'existing';
  /** Nodes of the planned cluster, including the control plane. */
  nodes: number;
  /** The node image is missing and will be built: 12 GiB of disk instead of 6. */
  buildNodeImage: boolean;
  /** Images will be built with BuildKit. */
  buildImages: boolean;
  /** Tools to look for; empty when the caller resolves them itself. */
  tools: readonly ToolName[];
}

/** Something an earlier run left behind. */
export interface LeftoverFact {
  kind: string;
  name: string;
  /**
   * `stale`: its run has ended; `alive`: belongs to a run in progress; `kept`: left on purpose with --keep; `unowned`: no record of its run
   * was found, so that another user's run may be using it.
   */
  state: 'stale' | 'alive' | 'kept' | 'unowned';
}

export interface PreflightDeps {
  run: CommandRunner;
  log: Log;
  clock: Clock;
  machine: Machine;
  env: Record<string, string | undefined>;
  /** The repository, whose disk is inspected. */
  projectDir: string;
  /** `<projectDir>/.cache` */
  cacheDir: string;
  /** One line about a step that takes time or changes something. */
  onProgress: (text: string) => void;
  /** Asks the user a yes/no question; only called when `interactive`. */
  confirm?: (question: string) => Promise<boolean>;
  /** What earlier runs left behind; passed in, because the harness may not import clusters/. */
  leftovers?: () => Promise<LeftoverFact[]>;
  /** Removes everything `stale`. */
  removeLeftovers?: () => Promise<void>;
  signal?: AbortSignal | undefined;
}

export type Inspection = (deps: PreflightDeps, need: PreflightNeed) => Promise<Finding[]> | Finding[];

/** A finding that needs no action. */
export function fine(id: string, title: string, found: string, why = ''): Finding {
  return { id, title, status: 'ok', found, why, remedy: '' };
}
