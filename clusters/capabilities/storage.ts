/** Storage capabilities. */
import type { ProbeContext, ProbeResult } from './probe.ts';
import { execProbe, probePod, waitForProbePod } from './probe.ts';

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const SHARED_CLASS = 'shared';

/** Exactly one StorageClass is the default. */
export async function probeDefaultStorageClass({ kube }: ProbeContext): Promise<ProbeResult> {
  const classes = await kube.list('StorageClass');
  const defaults = classes.filter((c) => c.metadata.annotations?.[DEFAULT_CLASS] === 'true');
  const names = defaults.map((c) => c.metadata.name).join(', ');
  if (defaults.length === 1) {
    const provisioner = defaults[0]?.['provisioner'];
    return { present: true, evidence: `${names} is the default class (${String(provisioner)})` };
  }
  const all = classes.map((c) => c.metadata.name).join(', ') || 'none';
  if (defaults.length === 0) return { present: false, evidence: `no class is the default; existing: ${all}` };
  return { present: false, evidence: `more than one class is the default: ${names}` };
}

/** One ReadWriteMany volume, mounted on two nodes: what one pod writes, the other reads. */
export async function probeSharedStorage(context: ProbeContext): Promise<ProbeResult> {
  const { kube, cluster, inNamespace } = context;
  if ((await kube.get('StorageClass', { name: SHARED_CLASS })) === undefined) {
    return { present: false, evidence: `StorageClass ${SHARED_CLASS} is missing` };
  }
  const workers = (await cluster.describe()).filter((node) => node.role === 'worker');
  const [first, second] = workers;
  if (first === undefined || second === undefined) {
    return { present: false, evidence: `not provable: needs two worker nodes, has ${workers.length}` };
  }
  const image = await context.image();
  if (image === undefined) {
    return {
      present: false,
      evidence: 'not provable: the nodes have no busybox image for the probe pods',
    };
  }
  return inNamespace(async (namespace) => {
    await kube.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'shared', namespace },
      spec: {
        accessModes: ['ReadWriteMany'],
        storageClassName: SHARED_CLASS,
        resources: { requests: { storage: '1Mi' } },
      },
    });
    const placed = { writer: first.name, reader: second.name };
    for (const [name, node] of Object.entries(placed)) {
      const command = image.serve(8080, name);
      await kube.create(probePod({ namespace, name, image: image.ref, command, node, claim: 'shared' }));
    }
    for (const name of Object.keys(placed)) {
      const result = await waitForProbePod(context, { namespace, name });
      if ('failed' in result) return { present: false, evidence: result.failed };
    }
    const written = await execProbe(
      context,
      { namespace, pod: 'writer' },
      image.write('/shared/probe', namespace),
    );
    if (written.exitCode !== 0) {
      return {
        present: false,
        evidence: `a volume of class ${SHARED_CLASS} is not writable: ${written.stderr.trim()}`,
      };
    }
    const read = await execProbe(context, { namespace, pod: 'reader' }, image.read('/shared/probe'));
    if (!read.stdout.includes(namespace)) {
      return {
        present: false,
        evidence: `a file that a pod on ${first.name} wrote to a volume of class ${SHARED_CLASS} is missing on ${second.name}`,
      };
    }
    // Deletes the pods first: a claim in use keeps its finalizer, and the namespace would stay Terminating.
    for (const name of Object.keys(placed)) await kube.delete('Pod', { name, namespace });
    return {
      present: true,
      evidence: `a volume of class ${SHARED_CLASS} was written on ${first.name} and read on ${second.name}`,
    };
  });
}
