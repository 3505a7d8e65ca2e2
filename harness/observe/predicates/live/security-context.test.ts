import { describe, expect, it } from 'vitest';
import type { Container, Pod, PodSpec } from '../../../kube/api/types.ts';
import {
  brokenPromises,
  isRestricting,
  missingCapabilities,
  overruledFields,
  type SeenProcess,
  statedContext,
} from './security-context.ts';

const DEFAULTS = '00000000a80425fb';
const NONE = '0000000000000000';
const NET_RAW = 1n << 13n;

/** Process 1 of a container whose context restricts everything. */
const process = (changes: Partial<SeenProcess> = {}): SeenProcess => ({
  pid: 1,
  name: 'server',
  uids: [1001, 1001, 1001, 1001],
  gids: [2000, 2000, 2000, 2000],
  groups: [2000, 3000],
  noNewPrivileges: true,
  capEff: NONE,
  capPrm: NONE,
  capBnd: NONE,
  seccomp: 2,
  isRootReadOnly: true,
  ...changes,
});

const STRICT = {
  runAsNonRoot: true,
  runAsUser: 1001,
  runAsGroup: 2000,
  fsGroup: 3000,
  supplementalGroups: [3000],
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};
const ROOT = [0, 0, 0, 0];
const ROOT_PROCESS = { uids: ROOT, gids: ROOT, groups: [] };

describe('brokenPromises', () => {
  it.each<[string, Record<string, unknown>, Partial<SeenProcess>]>([
    ['everything as stated', STRICT, {}],
    ['nothing is stated', {}, { ...ROOT_PROCESS, capBnd: DEFAULTS, seccomp: 0, isRootReadOnly: false }],
    ['root that became somebody else', { runAsUser: 0, runAsGroup: 0, fsGroup: 5 }, {}],
    ['any user may have cleared its groups after it started as root', { fsGroup: 5, runAsGroup: 6 }, {}],
    ['an image user with the group of the manifest', { runAsNonRoot: true, runAsGroup: 2000 }, {}],
    [
      'the only capability that is added',
      { capabilities: { drop: ['ALL'], add: ['NET_RAW'] } },
      { capBnd: NET_RAW.toString(16) },
    ],
    ['a process that gave up what was added', { capabilities: { add: ['NET_RAW'] } }, {}],
    [
      'all are added, and all are dropped',
      { capabilities: { drop: ['ALL'], add: ['ALL'] } },
      { capBnd: DEFAULTS },
    ],
    ['escalation is allowed', { allowPrivilegeEscalation: true }, { noNewPrivileges: false }],
    ['unconfined on purpose', { seccompProfile: { type: 'Unconfined' } }, { seccomp: 0 }],
    ['a kernel without seccomp', STRICT, { seccomp: undefined }],
    ['an unknown root', STRICT, { isRootReadOnly: undefined }],
    ['groups of the image, merged', { supplementalGroups: [3000] }, { groups: [2000, 3000, 27] }],
    ['strict groups', { supplementalGroupsPolicy: 'Strict', fsGroup: 3000 }, {}],
  ])('keeps its promises: %s', (_, stated, changes) => {
    expect(brokenPromises(stated, [process(changes)])).toEqual([]);
  });

  it.each<[RegExp, Record<string, unknown>, Partial<SeenProcess>]>([
    [
      /^process 1 \(server\) runs as user 0 0 0 0, not as 1001 \(runAsUser\)$/,
      { runAsUser: 1001 },
      { uids: ROOT },
    ],
    [/runs as user 1001 0 0 0, not as 1001 \(runAsUser\)/, { runAsUser: 1001 }, { uids: [1001, 0, 0, 0] }],
    [/runs as root, user 1001 0 0 0 \(runAsNonRoot\)/, { runAsNonRoot: true }, { uids: [1001, 0, 0, 0] }],
    [
      /runs in group 0 0 0 0, not in 2000 \(runAsGroup\)/,
      { runAsNonRoot: true, runAsGroup: 2000 },
      { gids: ROOT },
    ],
    [/is not in group 4242, only in 2000, 3000 \(fsGroup\)/, { runAsUser: 1001, fsGroup: 4242 }, {}],
    [/is not in group 4, 5, only/, { runAsUser: 1001, supplementalGroups: [4, 3000, 5] }, {}],
    [
      /is in group 27 of its image/,
      { supplementalGroupsPolicy: 'Strict', fsGroup: 3000 },
      { groups: [3000, 27] },
    ],
    [/NoNewPrivs is 0/, { allowPrivilegeEscalation: false }, { noNewPrivileges: false }],
    [/not Localhost: Seccomp is 0/, { seccompProfile: { type: 'Localhost' } }, { seccomp: 0 }],
    [/can write to \//, { readOnlyRootFilesystem: true }, { isRootReadOnly: false }],
    [
      /has CHOWN, .*, SETFCAP although drop names ALL/,
      { capabilities: { drop: ['ALL'] } },
      { capBnd: DEFAULTS },
    ],
    [
      /has NET_RAW although drop names CAP_NET_RAW/,
      { capabilities: { drop: ['CAP_NET_RAW'] } },
      { capBnd: DEFAULTS },
    ],
    [
      /has NET_RAW although/,
      { capabilities: { add: ['ALL', 'NET_RAW'], drop: ['net_raw'] } },
      { capEff: NET_RAW.toString(16) },
    ],
  ])('%s', (reason, stated, changes) => {
    expect(brokenPromises(stated, [process(changes)])).toEqual([expect.stringMatching(reason)]);
  });

  it('binds children only where the promise is about the container', () => {
    const child = process({ pid: 7, name: 'sudo', uids: ROOT, groups: [], isRootReadOnly: false });
    expect(brokenPromises({ runAsUser: 1001, readOnlyRootFilesystem: true }, [process(), child])).toEqual([]);
    expect(brokenPromises({ runAsNonRoot: true }, [process(), child])).toEqual([
      'process 7 (sudo) runs as root, user 0 0 0 0 (runAsNonRoot)',
    ]);
  });
});

it('names capabilities that are added in vain', () => {
  const stated = { capabilities: { drop: ['ALL'], add: ['NET_RAW', 'BPF'] } };
  expect(missingCapabilities(stated, [process({ capBnd: NET_RAW.toString(16) })])).toBe('BPF');
});

describe('statedContext', () => {
  const stated = (pod: object, own: object): Record<string, unknown> =>
    statedContext(
      { containers: [], securityContext: pod } as unknown as PodSpec,
      { securityContext: own } as Container,
    );

  it('prefers the fields of the container, and keeps those that stand in the wrong place', () => {
    expect(stated({ runAsUser: 1, readOnlyRootFilesystem: true }, { runAsUser: 2 })).toMatchObject({
      runAsUser: 2,
      readOnlyRootFilesystem: true,
    });
  });

  it('gives a privileged container no profile of its pod', () => {
    const seccompProfile = { type: 'RuntimeDefault' };
    expect(stated({ seccompProfile }, { privileged: true })['seccompProfile']).toBeUndefined();
    expect(stated({}, { privileged: true, seccompProfile })['seccompProfile']).toEqual(seccompProfile);
  });

  it('restricts nothing without a field that the kernel shows', () => {
    expect(isRestricting(stated({ sysctls: [] }, { privileged: true }))).toBe(false);
    expect(isRestricting(stated({ fsGroup: 1 }, {}))).toBe(true);
  });
});

it('leaves out what the cluster has set to another value, and not what it has dropped', () => {
  const pod = {
    spec: {
      containers: [
        { name: 'a', image: 'a', securityContext: { runAsUser: 5, capabilities: { drop: ['ALL'] } } },
      ],
    },
  } as unknown as Pod;
  const stated = { runAsUser: 1001, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true };
  expect(overruledFields(stated, pod, 'a')).toEqual(['runAsUser']);
});
