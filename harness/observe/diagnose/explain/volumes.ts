/** Explains why a scheduled pod has no container yet: volumes that cannot be mounted, a sandbox that cannot be created. */
import { hasCondition } from '../../../kube/api/objects.ts';
import type { Pod, Volume } from '../../../kube/api/types.ts';
import type { Cause } from '../diagnosis.ts';
import { tieOf } from './claim.ts';
import { HINT } from './hints.ts';
import { runtimeRefusal } from './runtime-refusal.ts';
import { clip, listed } from '../../../core/wording.ts';
import type { PodTrouble, World } from '../world.ts';
import { containerStatuses, eventsOf, RANK } from '../world.ts';

/** From a FailedMount, FailedAttachVolume or FailedMapVolume event; only while the pod has not started. */
export function explainMount(pod: Pod, world: World): PodTrouble | undefined {
  if (started(pod)) return undefined;
  const events = eventsOf(world.events, { ...pod, kind: 'Pod' }).filter((e) =>
    ['FailedMount', 'FailedAttachVolume', 'FailedMapVolume'].includes(e.reason ?? ''),
  );
  // "Unable to attach or mount volumes: … timed out" only summarizes a more exact earlier event.
  const event =
    events.findLast((e) => !/timed out waiting for the condition|context deadline/.test(e.message ?? '')) ??
    events.at(-1);
  if (!event) return undefined;
  const message = event.message ?? '';
  const missing = missingReference(message, pod, world);
  if (missing) return { ...missing, rank: RANK.volume };
  const volume = /for volume "([^"]+)"/.exec(message)?.[1];
  const what = volume === undefined ? 'a volume' : `volume ${volume}`;
  const claim = claimOf(pod.spec.volumes ?? [], volume) ?? claimBoundTo(world, volume);
  const tie = claim === undefined ? undefined : tieOf(world, claim);
  return {
    says: `cannot mount ${what}: ${clip(message.replace(/^MountVolume\.\w+ failed for volume "[^"]+" : /, ''))}`,
    upstream: tie ? [tie] : [],
    hint: event.reason === 'FailedAttachVolume' ? HINT.claimNode : undefined,
    rank: RANK.volume,
  };
}

/** Interprets messages of the kubelet's volume plugins about missing ConfigMaps, Secrets, keys and claims. */
function missingReference(message: string, pod: Pod, world: World): Omit<PodTrouble, 'rank'> | undefined {
  const object = /(configmap|secret|persistentvolumeclaim) "([^"]+)" not found/i.exec(message);
  if (object) {
    const [, kind = '', name = ''] = object;
    const isSecret = /secret/i.test(kind);
    const title = isSecret ? 'Secret' : /configmap/i.test(kind) ? 'ConfigMap' : 'PersistentVolumeClaim';
    return {
      says: `cannot start: ${title} ${name}, which it mounts, does not exist`,
      upstream: inventory(world, title),
      hint: isSecret ? HINT.secret : title === 'ConfigMap' ? HINT.configMap : HINT.claimMissing,
    };
  }
  const key = /references non-existent (?:config|secret) key: (\S+)/.exec(message)?.[1];
  if (key === undefined) return undefined;
  const volumeName = /for volume "([^"]+)"/.exec(message)?.[1];
  const volume = (pod.spec.volumes ?? []).find((v) => v.name === volumeName);
  const source = sourceOf(volume);
  const keys = source ? keysOf(source, world) : undefined;
  const where = source ? `${source.kind} ${source.name}` : `the source of volume ${volumeName ?? ''}`;
  const upstream: Cause[] =
    source && keys
      ? [
          {
            object: where,
            says:
              keys.length === 0
                ? 'has no keys'
                : `has only the ${keys.length === 1 ? 'key' : 'keys'} ${listed(keys)}`,
          },
        ]
      : [];
  return {
    says: `cannot start: ${where} has no key "${key}", which volume ${volumeName ?? ''} refers to`,
    upstream,
    hint: HINT.key,
  };
}

/** The existing objects of a kind, which reveal a typo in a reference; empty when they could not be read. */
export function inventory(world: World, kind: 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim'): Cause[] {
  const lists = { ConfigMap: world.configMaps, Secret: world.secrets, PersistentVolumeClaim: world.claims };
  // Every namespace has the ConfigMap; the Secrets are Helm's release records.
  const names = lists[kind]
    ?.map((o) => o.metadata.name)
    .filter((n) => n !== 'kube-root-ca.crt' && !n.startsWith('sh.helm.release.'));
  if (!names) return [];
  const says =
    names.length === 0
      ? `has no ${kind} at all`
      : `has only ${names.length === 1 ? kind : `${kind}s`} ${listed(names)}`;
  return [{ object: `Namespace ${world.namespace}`, says }];
}

function sourceOf(volume: Volume | undefined): { kind: 'ConfigMap' | 'Secret'; name: string } | undefined {
  if (volume?.configMap) return { kind: 'ConfigMap', name: volume.configMap.name };
  if (volume?.secret) return { kind: 'Secret', name: volume.secret.secretName };
  return undefined;
}

/** Keys of a ConfigMap or Secret; undefined when it does not exist or could not be read. */
export function keysOf(
  source: { kind: 'ConfigMap' | 'Secret'; name: string },
  world: World,
): string[] | undefined {
  const list = source.kind === 'ConfigMap' ? world.configMaps : world.secrets;
  const found = list?.find((o) => o.metadata.name === source.name);
  return found ? [...Object.keys(found.data ?? {}), ...Object.keys(found.binaryData ?? {})] : undefined;
}

function claimOf(volumes: readonly Volume[], name: string | undefined): string | undefined {
  return volumes.find((v) => v.name === name)?.persistentVolumeClaim?.claimName;
}

/** Messages about attaching name the PersistentVolume, those about mounting the volume of the pod. */
function claimBoundTo({ claims }: World, volume: string | undefined): string | undefined {
  if (volume === undefined) return undefined;
  return claims?.find(
    (claim) => (claim['spec'] as { volumeName?: string } | undefined)?.volumeName === volume,
  )?.metadata.name;
}

/** From FailedCreatePodSandBox events: a missing runtime handler or network. */
export function explainSandbox(pod: Pod, world: World): PodTrouble | undefined {
  if (started(pod)) return undefined;
  const event = eventsOf(world.events, { ...pod, kind: 'Pod' }).findLast(
    (e) => e.reason === 'FailedCreatePodSandBox',
  );
  const message = event?.message;
  if (message === undefined) return undefined;
  const handler =
    /no runtime for "([^"]+)" is configured|unknown runtime handler "?([^"\s]+)"?|RuntimeHandler "([^"]+)" not supported/.exec(
      message,
    );
  if (handler) {
    const name = handler[1] ?? handler[2] ?? handler[3] ?? '';
    return {
      says: `cannot start: the container runtime of node ${pod.spec.nodeName ?? ''} has no handler "${name}"`,
      upstream: pod.spec.runtimeClassName
        ? [
            {
              object: `RuntimeClass ${pod.spec.runtimeClassName}`,
              says: `requires the handler "${name}", which is not configured in containerd`,
            },
          ]
        : [],
      hint: HINT.runtimeHandler,
      rank: RANK.sandbox,
    };
  }
  const refused = runtimeRefusal(message);
  if (refused) {
    return {
      says: `cannot start: the container runtime refuses its sandbox, because its security context ${refused.says}`,
      upstream: [],
      hint: refused.hint,
      rank: RANK.sandbox,
    };
  }
  return {
    says: `cannot start: the node cannot create its sandbox: ${clip(message.split('desc = ').at(-1) ?? message, 300)}`,
    upstream: [],
    hint: HINT.sandbox,
    rank: RANK.sandbox,
  };
}

/** True when the pod has its volumes and network, by its condition or because a container has run. Events about them are outdated then. */
function started(pod: Pod): boolean {
  if (hasCondition(pod, 'PodReadyToStartContainers')) return true;
  return containerStatuses(pod).some(
    (s) => s.restartCount > 0 || s.state?.running !== undefined || s.state?.terminated !== undefined,
  );
}
