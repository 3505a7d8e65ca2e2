import { describe, expect, it } from 'vitest';
import { explainCreation } from './creation.ts';

describe('explainCreation', () => {
  it.each([
    [
      'Error creating: pods "q-1" is forbidden: exceeded quota: q, requested: requests.cpu=1, used: requests.cpu=0, limited: requests.cpu=100m',
      /quota q is exhausted/,
      /ResourceQuota q allows requests.cpu=100m; used requests.cpu=0; one more pod requests requests.cpu=1/,
    ],
    [
      'Error creating: pods "q-1" is forbidden: failed quota: q: must specify requests.cpu for: busybox',
      /quota q requires every container to set requests.cpu for: busybox/,
      /^$/,
    ],
    [
      'Error creating: pods "p-1" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      /Pod Security "restricted:latest" forbids/,
      /^Pod Security restricted:latest allowPrivilegeEscalation.*\nPod Security restricted:latest seccompProfile/,
    ],
    [
      'Error creating: pods "r-1" is forbidden: pod rejected: RuntimeClass "nvidia" not found',
      /ask for RuntimeClass nvidia/,
      /RuntimeClass nvidia does not exist/,
    ],
    [
      'Error creating: pods "s-1" is forbidden: error looking up service account demo/ghost: serviceaccount "ghost" not found',
      /run as ServiceAccount ghost/,
      /ServiceAccount ghost does not exist/,
    ],
    [
      'Error creating: pods "s-1" is forbidden: no PriorityClass with name golden was found',
      /PriorityClass golden/,
      /does not exist/,
    ],
    [
      'Error creating: admission webhook "policy.example.com" denied the request: no latest tags',
      /webhook denies/,
      /policy.example.com no latest tags/,
    ],
    [
      'Error creating: Internal error occurred: failed calling webhook "w.example.com": dial tcp 10.96.0.5:443: connection refused',
      /does not answer/,
      /connection refused/,
    ],
    [
      "Error creating: pods \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: replicas too many",
      /policy denies/,
      /replicas too many/,
    ],
    [
      'Error creating: pods "x" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
      /LimitRange forbids them: maximum cpu usage/,
      /^$/,
    ],
    ['Error creating: something new', /cannot create its pods: something new/, /^$/],
  ])('%s', (message, says, upstream) => {
    const trouble = explainCreation(message);
    expect(trouble.says).toMatch(says);
    expect(trouble.upstream.map((c) => `${c.object} ${c.says}`).join('\n')).toMatch(upstream);
  });
});
