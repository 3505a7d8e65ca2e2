/** Turns BuildKit's plain output into progress lines. */

/**
 * @param onProgress called when a stage starts and ends; not for cached stages
 * @returns a function to call for every line of output
 */
export function buildProgress(onProgress: (text: string) => void): (line: string) => void {
  const stages = new Map<string, string>();
  const announced = new Set<string>();
  const running = new Set<string>();
  // BuildKit prints CACHED one line after the step's name, so a stage is announced one line late.
  let pending: string | undefined;
  return (line) => {
    const step = /^#(\d+) /.exec(line)?.[1] ?? '';
    if (pending !== undefined && !line.endsWith(' CACHED')) {
      if (!announced.has(pending)) onProgress(`building ${pending}`);
      announced.add(pending);
      running.add(pending);
    }
    pending = undefined;
    const started = /^#\d+ \[([\w-]+) +\d+\/\d+\] RUN /.exec(line)?.[1];
    if (started !== undefined) {
      stages.set(step, started);
      pending = started;
    }
    const duration = /^#\d+ DONE ([\d.]+)s/.exec(line)?.[1];
    const ended = stages.get(step);
    if (ended === undefined || duration === undefined) return;
    running.delete(ended);
    // Stages are built in parallel: the line of a finished stage must not hide those still running.
    const others = running.size === 0 ? '' : `, still building ${[...running].join(', ')}`;
    if (Number(duration) >= 1) onProgress(`built ${ended} in ${duration} s${others}`);
  };
}
