import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CheckFailure, DoesNotFit, InfrastructureError, UsageError } from '../../core/errors.ts';
import { cleanMessage, helmFailure } from './failure.ts';
import type { Subject } from './types.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';

const subject: Subject = { chart: '../my-chart', values: [], set: [] };

function failure(stderr: string, options: { changes?: boolean; subject?: Subject } = {}) {
  const result = { command: 'helm …', exitCode: 1, stdout: '', stderr, durationMs: 1 };
  return helmFailure(result, { what: 'install web', changes: true, subject, ...options });
}

describe('helmFailure', () => {
  // Every message was printed by helm 3.22 or by an API server 1.36.
  it.each([
    [
      'a nil pointer',
      'Error: INSTALLATION FAILED: template: c/templates/b.yaml:1:13: executing "c/templates/b.yaml" at <.Values.a.b>: nil pointer evaluating interface {}.b\n\nUse --debug flag to render out invalid YAML\n',
      'E_TEMPLATE',
      '../my-chart/templates/b.yaml:1:13: .Values.a.b: nil pointer evaluating interface {}.b',
    ],
    [
      'an error in a helper, not in its callers',
      'Error: template: c/templates/d.yaml:4:6: executing "c/templates/d.yaml" at <include "c.labels" .>: error calling include: template: c/templates/_helpers.tpl:9:5: executing "c.labels" at <.Values.x.y>: nil pointer evaluating interface {}.y',
      'E_TEMPLATE',
      '../my-chart/templates/_helpers.tpl:9:5: .Values.x.y: nil pointer evaluating interface {}.y',
    ],
    [
      'a required value',
      'Error: execution error at (c/templates/b.yaml:1:6): please set image.tag',
      'E_TEMPLATE',
      '../my-chart/templates/b.yaml:1:6: please set image.tag',
    ],
    [
      'an unknown function',
      'Error: parse error at (c/templates/b.yaml:1): function "nofunc" not defined',
      'E_TEMPLATE',
      '../my-chart/templates/b.yaml:1: function "nofunc" not defined',
    ],
    [
      'a template that does not render YAML',
      'Error: YAML parse error on c/templates/b.yaml: error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context',
      'E_TEMPLATE',
      '../my-chart/templates/b.yaml does not render valid YAML: line 2: mapping values are not allowed in this context',
    ],
    [
      'a values file that is a list',
      'Error: failed to parse list.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}',
      'E_VALUES',
      'values file list.yaml cannot be read: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}',
    ],
    [
      'an option without a value',
      'Error: failed parsing --set data: key "foo" has no value',
      'E_SET',
      '--set: key "foo" has no value',
    ],
    [
      'a missing dependency',
      'Error: An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: pg',
      'E_CHART',
      'chart ../my-chart lacks its dependencies: pg',
    ],
    [
      'an unsupported Kubernetes version',
      'Error: chart requires kubeVersion: >=1.30.0-0 which is incompatible with Kubernetes v1.20.0',
      'E_CHART',
      'chart ../my-chart: chart requires kubeVersion: >=1.30.0-0 which is incompatible with Kubernetes v1.20.0',
    ],
  ])('reports %s as a usage error at its origin', async (_title, stderr, code, message) => {
    const error = await failure(stderr);
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ code, message });
  });

  it.each([
    [
      'an immutable field',
      'Error: UPGRADE FAILED: cannot patch "r-d" with kind Deployment: Deployment.apps "r-d" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"z"}}: field is immutable',
      'E_INSTALL_REFUSED',
      /field is immutable/,
      /Selectors/,
    ],
    [
      'a removed API',
      'Error: INSTALLATION FAILED: unable to build kubernetes objects from release manifest: resource mapping not found for name: "r3-a" namespace: "" from "": no matches for kind "PodDisruptionBudget" in version "policy/v1beta1"\nensure CRDs are installed first',
      'E_INSTALL_REFUSED',
      /PodDisruptionBudget/,
      /newer/,
    ],
    [
      'a name in use by another release',
      'Error: INSTALLATION FAILED: Unable to continue with install: ConfigMap "r-a" in namespace "n" exists and cannot be imported into the current release: invalid ownership metadata',
      'E_INSTALL_REFUSED',
      /ConfigMap "r-a"/,
      /another release/,
    ],
    [
      'a cluster-scoped name in use by another release',
      'Error: INSTALLATION FAILED: Unable to continue with install: ClusterRole "r" in namespace "" exists and cannot be imported into the current release: invalid ownership metadata; annotation validation error: key "meta.helm.sh/release-namespace" must equal "b": current value is "a"',
      'E_INSTALL_REFUSED',
      /ClusterRole "r"/,
      /^The object belongs to the whole cluster.*\.Release\.Namespace/,
    ],
    [
      'an unreachable webhook',
      'Error: INSTALLATION FAILED: failed calling webhook "x": connect: connection refused',
      'E_INSTALL_REFUSED',
      /failed calling webhook/,
      /^$/,
    ],
    [
      'a quota',
      'Error: INSTALLATION FAILED: pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
      'E_INSTALL_REFUSED',
      /exceeded quota/,
      /ResourceQuota/,
    ],
    [
      'a failed hook',
      'Error: INSTALLATION FAILED: failed pre-install: 1 error occurred:\n\t* job migrate failed: BackoffLimitExceeded\n\n',
      'E_HOOK_FAILED',
      /a pre-install hook failed: .*job migrate failed/s,
      /^$/,
    ],
    [
      'a timeout of helm’s own wait',
      'Error: UPGRADE FAILED: context deadline exceeded',
      'E_INSTALL_TIMEOUT',
      /did not become ready/,
      /^$/,
    ],
  ])('reports %s as a failure of the subject', async (_title, stderr, code, message, hint) => {
    const error = await failure(stderr);
    expect(error).toBeInstanceOf(CheckFailure);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.hint ?? '').toMatch(hint);
  });

  it.each([
    [
      'an unreachable cluster',
      'Error: INSTALLATION FAILED: Kubernetes cluster unreachable: Get "http://localhost:8080/version": dial tcp 127.0.0.1:8080: connect: connection refused',
      'E_CLUSTER_UNREACHABLE',
    ],
    [
      'a missing kubeconfig',
      'Error: Kubernetes cluster unreachable: stat /tmp/nope: no such file or directory',
      'E_CLUSTER_UNREACHABLE',
    ],
    [
      'a release name in use',
      'Error: INSTALLATION FAILED: cannot re-use a name that is still in use',
      'E_RELEASE_STATE',
    ],
    ['a missing revision', 'Error: release has no 99 version', 'E_RELEASE_STATE'],
    [
      'a permission that the user lacks',
      'Error: INSTALLATION FAILED: clusterroles.rbac.authorization.k8s.io is forbidden: User "tester" cannot create resource "clusterroles" in API group "rbac.authorization.k8s.io" at the cluster scope',
      'E_FORBIDDEN',
    ],
    [
      'permissions that the user may not grant',
      'Error: INSTALLATION FAILED: roles.rbac.authorization.k8s.io "r" is forbidden: user "tester" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["get"]}',
      'E_FORBIDDEN',
    ],
    [
      'a missing namespace',
      'Error: INSTALLATION FAILED: create: failed to create: namespaces "n" not found',
      'E_RELEASE_STATE',
    ],
  ])('reports %s as an infrastructure error', async (_title, stderr, code) => {
    const error = await failure(stderr);
    expect(error).toBeInstanceOf(InfrastructureError);
    expect(error.code).toBe(code);
  });

  it('does not blame the subject for an operator that the cluster lacks', async () => {
    const error = await failure(
      'Error: INSTALLATION FAILED: unable to build kubernetes objects from release manifest: resource mapping not found for name: "r3-a" namespace: "" from "": no matches for kind "ServiceMonitor" in version "monitoring.coreos.com/v1"\nensure CRDs are installed first',
    );
    expect(error).toBeInstanceOf(DoesNotFit);
    expect(error.message).toContain('does not serve ServiceMonitor (monitoring.coreos.com/v1)');
    expect(error.hint).toContain('CustomResourceDefinition');
  });

  it('does not blame the subject when a read-only command fails', async () => {
    const error = await failure('Error: something new', { changes: false });
    expect(error).toBeInstanceOf(InfrastructureError);
    expect(error.code).toBe('E_HELM');
  });

  it('names the line and the option that violate the schema', async () => {
    const directory = await temporaryFolder();
    const file = join(directory, 'prod.yaml');
    await writeFile(file, '# ours\nreplicas: x\n');
    const stderr = `Error: values don't meet the specifications of the schema(s) in the following chart(s):\nc:\n- at '/replicas': got string, want integer\n- at '/image': additional properties 'tga' not allowed\n`;
    const error = await failure(stderr, {
      subject: { chart: directory, values: [file], set: ['image.tga=1'] },
    });
    expect(error.code).toBe('E_VALUES_SCHEMA');
    expect(error.message).toContain(`replicas: got string, want integer (${file}:2)`);
    expect(error.message).toContain("image.tga: additional properties 'tga' not allowed (--set image.tga=1)");
  });
});

describe('cleanMessage', () => {
  it('removes log lines and prefixes of helm and client-go', () => {
    const stderr =
      'W1121 11:00:00.0 warnings.go:70] x is deprecated\nengine.go:206: [INFO] Missing required value: t\nError: UPGRADE FAILED: nope\n\nUse --debug flag to render out invalid YAML\n';
    expect(cleanMessage(stderr)).toBe('nope');
  });

  it('removes the object that the API server quotes in full', () => {
    const quoted = JSON.stringify(JSON.stringify({ spec: 'x'.repeat(300) }));
    expect(cleanMessage(`Error: patch: Invalid value: ${quoted}: json: cannot unmarshal bool`)).toBe(
      'patch: Invalid value: json: cannot unmarshal bool',
    );
  });
});
