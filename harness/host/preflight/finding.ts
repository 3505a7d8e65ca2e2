/** What preflight says about one aspect of the machine. */
import type { CommandRunner } from '../../core/command.ts';
import type { Clock } from '../../core/deadline.ts';
import type { Log } from '../../core/log.ts';
import type { ToolName } from '../tools/versions.ts';
import type { Machine } from './machine.ts';

export type FindingStatus = 'ok' | 'warning' | 'problem' | 'fixed';

/** One fact with its judgement. A `problem` stops a run; a `warning` may make it fail or leave something behind. */
export interface Finding {
  /** Stable, kebab-case: `inotify-instances`. */
  id: string;
  title: string;
  status: FindingStatus;
  /** What was seen, with figures. */
  found: string;
  /** Why it matters to a run. */
  why: string;
  /** What to do, with the exact commands; empty when there is nothing to do. */
  remedy: string;
  /** Present when kindproof can mend it itself. */
  fix?: () => Promise<void>;
  /** What `fix` does to the machine, completing "This will …"; absent when it stays in the project's folder. */
  changes?: string;
}

/** `Title: what was found.`; what a tool said with a mark of its own gets no second one. */
export function sentenceOf({ title, found }: Pick<Finding, 'title' | 'found'>): string {
  return `${title}: ${found}${/[.?!]$/.test(found) ? '' : '.'}`;
}

/** What the run to come needs; the checks judge by it. */
export interface PreflightNeed {
  /** `existing`: no nodes are started here, and the engine matters only to images that are built. */
  cluster: 'kind' | 'existing';
  /** Nodes of the planned cluster, control plane included. */
  nodes: number;
  /** The node image is not there yet and will be built: 12 GiB of disk instead of 6. */
  buildNodeImage: boolean;
  /** Images will be built with BuildKit. */
  buildImages: boolean;
  /** Tools to look for. A caller that resolves them itself while other things happen passes none. */
  tools: readonly ToolName[];
}

/** Something an earlier run left, as the sweep of clusters/ sees it. */
export interface LeftoverFact {
  kind: string;
  name: string;
  /** `alive`: belongs to a run that still goes on; `kept`: left on purpose with --keep. */
  state: 'stale' | 'alive' | 'kept';
}

export interface PreflightDeps {
  run: CommandRunner;
  log: Log;
  clock: Clock;
  machine: Machine;
  env: Record<string, string | undefined>;
  /** The repository: its disk is looked at. */
  projectDir: string;
  /** `<projectDir>/.cache` */
  cacheDir: string;
  /** One line about a step that takes time or changes something. */
  onProgress: (text: string) => void;
  /** Asks the person at the terminal; only called when `interactive`. */
  confirm?: (question: string) => Promise<boolean>;
  /** What earlier runs left; given by the caller, since only clusters/ knows. */
  leftovers?: () => Promise<LeftoverFact[]>;
  signal?: AbortSignal | undefined;
}

export type Check = (deps: PreflightDeps, need: PreflightNeed) => Promise<Finding[]> | Finding[];

/** A finding without anything to do. */
export function fine(id: string, title: string, found: string, why = ''): Finding {
  return { id, title, status: 'ok', found, why, remedy: '' };
}
