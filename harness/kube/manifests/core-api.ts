/** Kubernetes' own API groups; kinds of other groups come with their operators. */
const CORE = /^(v1|apps|batch|autoscaling|policy|extensions|[a-z.]+\.k8s\.io)(\/|$)/;

/** @param apiVersion `v1`, `apps/v1` */
export function isCoreApi(apiVersion: string): boolean {
  return CORE.test(apiVersion);
}
