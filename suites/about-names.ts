/**
 * The checks that are red for subjects of others: their requirements are about what the documents call by a name, or promise to exist.
 * Every other check has to say that it does not fit, or to pass.
 */

/** Red for a subject that shares nothing with a reference (fixtures/charts/foreign). */
export const ABOUT_NAMES: readonly string[] = [
  // Deployment toolman
  'toolman/T-02',
  // ConfigMap toolman-servers-config
  'toolman/T-20',
  // Service toolman
  'toolman/T-22#2',
  // Deployment tool-registry-api and the other documented objects
  'tool-registry/R-01#2',
  // an init container that migrates
  'tool-registry/R-02',
  // Secret tool-registry-secrets
  'tool-registry/R-17',
  'tool-registry/R-17#2',
  // label app=tool-registry
  'tool-registry/R-24',
  // containers migrations and api
  'tool-registry/R-25',
  // DATABASE_URL and EMBEDDING_API_KEY
  'tool-registry/R-40',
  // The documented Ingress leads to Service tool-registry-api.
  'tool-registry/R-43',
  // ConfigMap tool-registry-config
  'tool-registry/R-46',
  // DaemonSet k8s-mcp-agent
  'k8s-mcp-agent/G-04#2',
  // Namespace gpu-diagnostics
  'k8s-mcp-agent/G-45',
  // the files of the chart
  'mcp-server/M-10',
  // the documented default values
  'mcp-server/M-73',
];

/** Of these, the checks of an installed registry: a chart whose containers read no address of a database cannot be given one. */
export const NEED_DATABASE: readonly string[] = [
  'tool-registry/R-01#2',
  'tool-registry/R-02',
  'tool-registry/R-17#2',
  'tool-registry/R-24',
  'tool-registry/R-25',
  'tool-registry/R-46',
];

/** A reference under other names. */
interface RenamedReference {
  suite: string;
  chart: string;
  /** Under fixtures. */
  path: string;
  /** Under fixtures/values; absent: those of the chart. */
  values?: string;
  /** What else is set; absent: nothing. */
  set?: readonly string[];
  /** Exactly these are red. */
  red: readonly string[];
}

const SWITCHYARD = {
  suite: 'toolman',
  chart: 'switchyard',
  path: 'charts/switchyard',
  values: 'toolman/switchyard.yaml',
  red: [
    // Deployment toolman
    'toolman/T-02',
    // container toolman
    'toolman/T-03#2',
    // volume config
    'toolman/T-07#2',
    // ConfigMap toolman-servers-config
    'toolman/T-20',
    // Service toolman
    'toolman/T-22#2',
    // port http
    'toolman/T-30#2',
    // label app.kubernetes.io/name=toolman
    'toolman/T-39',
  ],
} as const satisfies RenamedReference;

export const RENAMED: readonly RenamedReference[] = [
  SWITCHYARD,
  // The same in a namespace that the chart names itself.
  { ...SWITCHYARD, set: ['yard.namespace=switchyard-east'] },
  {
    suite: 'tool-registry',
    chart: 'catalogue',
    path: 'manifests/catalogue/base',
    // Its variables have the names that the application reads.
    red: ABOUT_NAMES.filter((id) => id.startsWith('tool-registry/') && id !== 'tool-registry/R-40'),
  },
];
