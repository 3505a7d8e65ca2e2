/** Groups pods with the same trouble into one statement: "3 pods (a, b and c) each …". */
import type { Pod } from '../../../kube/api/types.ts';
import { count, listed } from '../../../core/wording.ts';
import type { Cause } from '../diagnosis.ts';
import { explainPod } from './pod.ts';
import type { Explanation, PodTrouble, World } from '../world.ts';
import { hookOf } from '../world.ts';

interface Member {
  pod: Pod;
  trouble: PodTrouble;
}

const TIMES = / at once| (?:after|in|for) \d+ s/g;
const RESTARTS = /restarted (\d+) times?/g;

export function groupPods(pods: readonly Pod[], world: World): Explanation[] {
  const groups = new Map<string, Member[]>();
  for (const pod of pods) {
    const trouble = explainPod(pod, world);
    if (!trouble) continue;
    const key = fingerprint({ pod, trouble });
    groups.set(key, [...(groups.get(key) ?? []), { pod, trouble }]);
  }
  return [...groups.values()].flatMap(explainGroup);
}

function explainGroup(members: readonly Member[]): Explanation[] {
  const [first] = members;
  if (!first) return [];
  const { says, hint, rank } = first.trouble;
  const hook = hookOf(first.pod);
  const statement: Cause =
    members.length === 1
      ? {
          object: `Pod ${first.pod.metadata.name}`,
          says: hook === undefined ? says : `is a hook (${hook}), and ${says}`,
        }
      : { object: podsTitle(members), says: `each ${saysOfAll(says, members)}` };
  return [{ causes: [statement, ...upstreamOf(members)], hint, rank }];
}

function podsTitle(members: readonly Member[]): string {
  const names = members.map(({ pod }) => pod.metadata.name);
  return `${count(names.length, 'pod')} (${listed(names, 3)})`;
}

/** What holds for every pod: names all nodes, gives a range of restarts, and leaves out times that differ. */
function saysOfAll(says: string, members: readonly Member[]): string {
  let text = says;
  const nodes = [...new Set(members.flatMap(({ pod }) => pod.spec.nodeName ?? []))];
  const [first] = nodes;
  if (first !== undefined && nodes.length > 1) {
    text = text
      .replace(wholeName(`node ${first}, which is`), `nodes ${listed(nodes)}, which are`)
      .replace(wholeName(`node ${first}`), `nodes ${listed(nodes)}`);
  }
  const all = members.map(({ trouble }) => trouble.says);
  const restarts = all.flatMap((one) => [...one.matchAll(RESTARTS)].map((match) => Number(match[1])));
  const [fewest, most] = [Math.min(...restarts), Math.max(...restarts)];
  if (fewest < most) text = text.replace(RESTARTS, `restarted ${fewest} to ${most} times`);
  const times = new Set(all.map((one) => one.match(TIMES)?.join()));
  return times.size > 1 ? text.replace(TIMES, '') : text;
}

/** The causes of all pods, without further logs and without causes that differ only in pod name and address. */
function upstreamOf(members: readonly Member[]): Cause[] {
  const found = new Map<string, Cause>();
  for (const { pod, trouble } of members) {
    for (const cause of trouble.upstream) {
      const key = isLog(cause) ? cause.object : withoutPod(`${cause.object} ${cause.says}`, pod);
      if (!found.has(key)) found.set(key, cause);
    }
  }
  return [...found.values()];
}

/** Two pods have the same trouble when only names, addresses, times and counters differ. */
function fingerprint({ pod, trouble }: Member): string {
  const upstream = trouble.upstream.filter((cause) => !isLog(cause));
  const text = [trouble.says, ...upstream.map((cause) => `${cause.object} ${cause.says}`)].join('\n');
  const { nodeName } = pod.spec;
  const withoutNode = nodeName === undefined ? text : text.replace(wholeName(nodeName), 'NODE');
  return withoutPod(withoutNode, pod).replace(RESTARTS, 'restarted').replace(TIMES, '');
}

function isLog(cause: Cause): boolean {
  return cause.object.startsWith('Log of');
}

function withoutPod(text: string, pod: Pod): string {
  return text.replaceAll(pod.metadata.name, 'POD').replace(/\d+(\.\d+){3}/g, 'IP');
}

/** Matches the name, but not the start of a longer one: `worker` is not part of `worker2`. */
function wholeName(name: string): RegExp {
  return new RegExp(`(?<![\\w.-])${name.replace(/[.]/g, '\\.')}(?![\\w-])`, 'g');
}
