/**
 * The checks that are red for a subject that shares nothing with a reference (fixtures/charts/foreign): their requirements are about what
 * the documents call by a name, or promise to exist. Every other check has to say that it does not fit, or to pass.
 */
export const ABOUT_NAMES: readonly string[] = [
  // Deployment toolman
  'toolman/T-02',
  // an init container that prepares the directories
  'toolman/T-05',
  // ConfigMap toolman-servers-config
  'toolman/T-20',
  // label app.kubernetes.io/name=toolman
  'toolman/T-39',
  // nodes with the label workload-type=tools
  'toolman/T-53',
  // Secret tool-registry-secrets
  'tool-registry/R-17',
  // DATABASE_URL and EMBEDDING_API_KEY
  'tool-registry/R-40',
  // The documented Ingress leads to Service tool-registry-api.
  'tool-registry/R-43',
  // DaemonSet k8s-mcp-agent
  'k8s-mcp-agent/G-04',
  // Namespace gpu-diagnostics
  'k8s-mcp-agent/G-45',
];
