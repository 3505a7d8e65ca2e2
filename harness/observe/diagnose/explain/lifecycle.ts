/** Lifecycle hooks that failed, also of pods that are gone: after a failed preStop hook nothing else is left of it. */
import type { Container, KubeEvent, Pod, PodSpec, Probe } from '../../../kube/api/types.ts';
import { clip, count, listed } from '../../../core/wording.ts';
import type { Explanation, World } from '../world.ts';
import { eventsOf, RANK } from '../world.ts';
import { allContainers, containerOf, requestText } from './probe.ts';

type Hook = 'preStop' | 'postStart';

interface HookFailure {
  hook: Hook;
  container: string;
  /** "its preStop hook failed (FailedPreStopHook): the command `bash -c 'sleep 5'`: …". */
  says: string;
  /** What the hook runs: a name, for the advice. */
  program: string | undefined;
}

const HOOKS: Readonly<Record<string, Hook>> = {
  FailedPreStopHook: 'preStop',
  FailedPostStartHook: 'postStart',
};

const AFTERWARDS: Readonly<Record<Hook, string>> = {
  preStop: 'the container got SIGTERM at once',
  postStart: 'the kubelet killed the container',
};

/** The failed hooks of a pod, each once. @param events of its namespace */
export function hookFailures(
  pod: Pick<Pod, 'metadata' | 'spec'>,
  events: readonly KubeEvent[],
): HookFailure[] {
  const found = new Map<string, HookFailure>();
  for (const event of eventsOf(events, { kind: 'Pod', metadata: pod.metadata })) {
    const hook = HOOKS[event.reason ?? ''];
    if (hook === undefined) continue;
    const failure = hookFailure(hook, event, pod.spec);
    found.set(`${hook} ${failure.container}`, failure);
  }
  return [...found.values()];
}

/** Newer kubelets do not say what failed ("PreStopHook failed"): the pod does. */
function hookFailure(hook: Hook, event: KubeEvent, spec: PodSpec): HookFailure {
  const name = containerOf(event, spec);
  const container = allContainers({ spec }).find((one) => one.name === name);
  const handler = container?.lifecycle?.[hook] as Probe | undefined;
  const what = handler === undefined ? '' : `: ${requestText(handler, container)}`;
  const message = clip(event.message ?? '', 200);
  const why = /^(PreStopHook|PostStartHook) failed$/.test(message) || message === '' ? '' : `: ${message}`;
  return {
    hook,
    container: name,
    says: `its ${hook} hook failed (${event.reason ?? ''})${what}${why}; ${AFTERWARDS[hook]}`,
    program: handler?.exec?.command[0],
  };
}

/** Failed hooks of all pods, those of one container together. */
export function explainHooks(world: World): Explanation[] {
  const found = new Map<string, { failure: HookFailure; pods: Set<string> }>();
  for (const [name, spec] of podsWithFailedHooks(world)) {
    for (const failure of hookFailures({ metadata: { name }, spec }, world.events)) {
      const key = `${failure.container} ${failure.says.replaceAll(name, 'POD')}`;
      const known = found.get(key) ?? { failure, pods: new Set() };
      found.set(key, { ...known, pods: known.pods.add(name) });
    }
  }
  return [...found.values()].map(({ failure, pods }) => {
    const names = [...pods];
    const where =
      names.length === 1 ? `pod ${names[0] ?? ''}` : `${count(names.length, 'pod')} (${listed(names, 3)})`;
    return {
      causes: [
        { object: `Container ${failure.container} of ${where}`, says: `ended early: ${failure.says}` },
      ],
      hint: hookHint(failure),
      rank: failure.hook === 'preStop' ? RANK.hook : RANK.crash,
    };
  });
}

/** Names and specs; of a pod that is gone, the template of its workload stands for its spec. */
function podsWithFailedHooks({ events, pods, workloads }: World): Map<string, PodSpec> {
  const names = events
    .filter(({ reason, involvedObject }) => HOOKS[reason ?? ''] && involvedObject.kind === 'Pod')
    .map(({ involvedObject }) => involvedObject.name);
  return new Map(
    names.map((name) => {
      const owner = workloads
        .filter(({ metadata }) => name.startsWith(`${metadata.name}-`))
        // The longest name: that of the ReplicaSet, whose template may differ from the newest one.
        .sort((a, b) => b.metadata.name.length - a.metadata.name.length)[0];
      const live = pods.find(({ metadata }) => metadata.name === name);
      return [name, live?.spec ?? owner?.spec.template.spec ?? { containers: [] as Container[] }];
    }),
  );
}

function hookHint({ hook, program }: HookFailure): string {
  if (program === undefined) return `Check what the ${hook} hook calls: its port and path have to answer.`;
  const sleep = hook === 'preStop' ? '; to wait, use preStop.sleep, which needs no program' : '';
  return `Check that the image has the program ${program} of the ${hook} hook${sleep}.`;
}
