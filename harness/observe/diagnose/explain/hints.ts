/** How to fix known root causes. In one place, so that the same root always gets the same advice. */
export const HINT = {
  imageNotFound:
    'Check repository and tag in the values; on kind, load images that no registry has into the nodes first.',
  imageDenied:
    'Give the pod imagePullSecrets with access to that repository, or load the image into the nodes.',
  imageUnreachable:
    'The nodes cannot reach the registry: load the image into the nodes, or fix the network or proxy.',
  imageName:
    'Write the reference as repository:tag in lower case; check how the template joins repository and tag.',
  imageNever: 'imagePullPolicy is Never: load the image into every node that may run the pod.',
  pullAlways:
    'Set imagePullPolicy: IfNotPresent. Always, the default for the tag latest, asks the registry at every start, whatever the node has.',
  quota: 'Raise the ResourceQuota or lower the requests of the pods.',
  quotaOfUpdate:
    'Raise the ResourceQuota by the pods that an update starts first (maxSurge), or set maxSurge: 0 and maxUnavailable: 1.',
  limitRange: 'Bring requests and limits within the LimitRange of the namespace.',
  podSecurity:
    'Set the named securityContext fields in the chart, or label the namespace with a less strict level.',
  runtimeClass: 'Create the RuntimeClass, or remove runtimeClassName from the values.',
  runtimeHandler:
    "The node's container runtime has no such handler: configure it in containerd and restart containerd.",
  serviceAccount: 'Create the ServiceAccount, or set serviceAccount.create in the values.',
  priorityClass: 'Create the PriorityClass, or remove priorityClassName from the values.',
  webhook: 'Read the requirements of the admission policy, and change the pods accordingly.',
  webhookSilent: 'The webhook does not answer: check its Service and pods, and its failurePolicy.',
  ownWebhook:
    'Exclude the pods of the release from the webhook (objectSelector or namespaceSelector), or set failurePolicy: Ignore: it cannot answer before they run.',
  webhookCertificate:
    'The caBundle of the webhook configuration does not fit the certificate that its Service shows: renew both together.',
  taint: 'Add the toleration to the values, or remove the taint from a node.',
  wantsNoNode:
    'Let selector and tolerations of the pods fit the labels and taints of the nodes that are meant: key, value and effect.',
  nodeSelector: 'Label a node accordingly, or change nodeSelector or node affinity in the values.',
  resources: 'Lower the requests, free the nodes, or add a node.',
  extended: 'No node offers enough of it: check that the device plugin runs and advertises the resource.',
  antiAffinity:
    'Required anti-affinity needs at least one matching node for each replica and for each surge pod: add nodes, or make it preferred.',
  affinity:
    'No node runs a pod that the required pod affinity asks for: check its labels and its topologyKey.',
  topologySpread:
    'Add nodes with that topology label, raise maxSkew, or use whenUnsatisfiable: ScheduleAnyway.',
  ports: 'A host port can be used once per node: add nodes, or remove hostPort.',
  storageClass: 'Create the StorageClass, or name an existing one in the values.',
  claimNode:
    'A ReadWriteOnce claim on node-bound storage ties all its pods to one node: use a ReadWriteMany class for several replicas.',
  claimMissing: 'Create the PersistentVolumeClaim, or let the chart create it.',
  configMap: 'Create the ConfigMap with that name in the namespace, or fix the reference in the chart.',
  secret: 'Create the Secret with that name in the namespace, or mark the reference optional.',
  key: 'Add the key, or fix the reference; mark it optional if the application does not need it.',
  memory: 'Raise the memory limit, or reduce the memory use of the application.',
  initMemory:
    'Raise the memory limit of the init container: it has resources of its own, apart from those of the other containers.',
  initRunning:
    'Check whether what it waits for exists under that name and answers; give its loop an end, so that the pod shows the failure.',
  noInput:
    'Set stdin: true, or run the server in HTTP mode. Any other program has to stay in the foreground; one that ends belongs in a Job.',
  ended: 'Keep the program in the foreground; one that is meant to end belongs in a Job.',
  command: 'Check command and args of the container against the programs in the image.',
  architecture: 'The image was built for another CPU architecture than that of the node.',
  permission:
    'The process lacks the permission: check runAsUser, capabilities, fsGroup and readOnlyRootFilesystem.',
  startup:
    'Give the container a startupProbe (or a longer initialDelaySeconds) that covers its slowest start.',
  startupProbe:
    'Give the startupProbe more time (failureThreshold × periodSeconds has to cover the slowest start), or fix its path and port.',
  crash: 'The evidence has the full logs of this instance and of the previous one.',
  race: 'Several replicas change the same data when they start: migrate in a Job or hook that runs once, or under a lock.',
  serviceLinks:
    'Set enableServiceLinks: false for the pod, set the variable in the container, or rename the Service.',
  session:
    'Set sessionAffinity: ClientIP, run one replica, or keep sessions outside of the pods; behind an ingress ClientIP does not help, because all requests have its address.',
  topologyKey:
    'No node has the label of topologyKey: label the nodes, or use a label that they have, for example kubernetes.io/hostname.',
  scaleTarget: 'Name an existing workload in scaleTargetRef.',
  probePath: 'Check path and port of the probe against what the application serves.',
  probeRefused:
    'Nothing listens there: compare the port of the probe with the one the application opens, and its bind address.',
  probeTimeout:
    'Raise timeoutSeconds or the CPU limit, or find out why the application does not answer in time.',
  liveness: 'Find out why the application stops answering; if it is only slow, give the probe more time.',
  sigterm:
    'Handle SIGTERM in the main process (exec it, do not wrap it in a shell), or raise terminationGracePeriodSeconds.',
  finalizer: 'The finalizer has to be removed: check the controller that set it.',
  node: 'Check the kubelet of the node; the chart is not the cause.',
  sandbox:
    'Read what the container runtime refuses. If it names a setting of the pod, the chart is the cause; else check the kubelet and the network of the node.',
  ephemeralStorage:
    'Raise the limit of ephemeral-storage, or write less to the file system of the container and to emptyDirs.',
  eviction: 'Add memory or disk to the node, or set requests so that the pod is not evicted first.',
  selector: "Set the Service's selector to labels of the pod template.",
  sharedService:
    'Add the label that tells the workloads apart to the selector, unless both are meant to serve its requests.',
  targetPort: "Name the container's port, or give the Service the number.",
  metrics:
    'Install metrics-server and wait for its first metrics; every container needs a request for that resource.',
  job: "Read the log of the Job's last pod.",
} as const;
