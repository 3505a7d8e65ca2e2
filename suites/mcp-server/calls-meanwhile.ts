/** Calls to a server while something happens to it, and to a control that is changed at the same time. */
import { InfrastructureError } from '../../harness/core/errors.ts';
import type { PredicateResult } from '../../harness/observe/predicates/result.ts';
import { nothingWrong } from '../../harness/observe/predicates/result.ts';
import { lostRequests } from '../../harness/observe/predicates/live/request-log.ts';
import type { Lab } from '../../harness/run/suite/lab.ts';
import { startServiceLoad } from '../any-chart/load/service-load.ts';
import { startRollingControl } from '../any-chart/rolling-control.ts';
import type { McpClient, McpTask } from '../mcp-client/mcp-client.ts';

export interface Meanwhile {
  result: PredicateResult;
  /** How many calls failed. */
  failed: number;
}

/**
 * Calls the server over new connections until `change` has ended, and once more after it: no call may fail.
 *
 * @param calls of each session; empty: only its initialization and the list of its tools
 * @param what what happens meanwhile, for the message
 */
export async function servesMeanwhile(
  client: Pick<McpClient, 'talk'>,
  { url, calls }: { url: string; calls: NonNullable<McpTask['calls']> },
  what: string,
  change: () => Promise<unknown>,
): Promise<Meanwhile> {
  const progress = { ended: false };
  const changed = change().finally(() => {
    progress.ended = true;
  });
  // Its failure is thrown below, when the calls have ended.
  changed.catch(() => {});
  const failures: string[] = [];
  let answered = 0;
  let isLast = false;
  while (!isLast) {
    isLast = progress.ended;
    const sessions = await client.talk({ url, sessions: 2, parallel: 2, calls });
    for (const { error, calls: made } of sessions) {
      if (error === undefined) answered += 1;
      else failures.push(error);
      failures.push(...made.flatMap((call) => call.error ?? []));
      answered += made.filter((call) => call.error === undefined).length;
    }
  }
  await changed;
  return {
    result: {
      ...nothingWrong(`no call fails ${what}`, failures),
      observed: [`${what}: ${answered} calls answered, ${failures.length} failed`],
    },
    failed: failures.length,
  };
}

export interface Control {
  /** Replaces the pods of the control, while clients call it. */
  update(): Promise<void>;
  /** Ends the calls, and says how many were lost since the first update. */
  lost(): Promise<number>;
}

/** How long a pod of the control serves after its end was decided. */
const DRAIN_SECONDS = 5;

/** Starts a Deployment that does everything right, and its client. What it loses is the machine's doing. */
export async function startControl(lab: Lab): Promise<Control> {
  const namespace = await lab.namespace();
  const control = await startRollingControl(lab, namespace, DRAIN_SECONDS);
  const load = await startServiceLoad(lab, namespace, [control.target]);
  const changes: { after: number; says: string }[] = [];
  return {
    async update() {
      changes.push({ after: await load.sent(), says: 'the control was updated' });
      await control.update();
    },
    async lost() {
      const [log = { requests: [] }] = await load.stop();
      return lostRequests(log, changes).length;
    },
  };
}

/**
 * What of the calls counts against the server.
 *
 * @param lost by the control, in the same time
 * @throws InfrastructureError `E_CONTROL` when the server failed, and the control lost requests as well
 */
export function judged(all: readonly Meanwhile[], lost: number): PredicateResult[] {
  const failed = all.reduce((sum, one) => sum + one.failed, 0);
  if (failed > 0 && lost > 0)
    throw new InfrastructureError(
      'E_CONTROL',
      `the machine may be the cause: the server failed ${failed} calls, and a control lost ${lost} at the same time`,
      { hint: 'Run again when the machine does nothing else.' },
    );
  return all.map(({ result }) => result);
}
