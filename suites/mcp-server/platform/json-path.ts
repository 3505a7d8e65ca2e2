/** Paths into the JSON that a platform prints: `$.replicas.ready`, `$.pods[0].name`, `$['odd key']`; `$` is all of it. */
const STEP = /\.([A-Za-z_][\w-]*)|\[(\d+)\]|\['([^']+)'\]/gy;

/** What is wrong with a path; `undefined` when it is one. */
export function pathProblem(path: string): string | undefined {
  return stepsOf(path) === undefined
    ? `${path} is no path such as $.replicas.ready or $.pods[0].name`
    : undefined;
}

/** What is at a path; `undefined` when there is nothing. */
export function valueAt(value: unknown, path: string): unknown {
  let found = value;
  for (const step of stepsOf(path) ?? []) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Record<string, unknown>)[step];
  }
  return found;
}

function stepsOf(path: string): string[] | undefined {
  if (!path.startsWith('$')) return undefined;
  const steps: string[] = [];
  STEP.lastIndex = 1;
  while (STEP.lastIndex < path.length) {
    const [, name, index, quoted] = STEP.exec(path) ?? [];
    const step = name ?? index ?? quoted;
    if (step === undefined) return undefined;
    steps.push(step);
  }
  return steps;
}
