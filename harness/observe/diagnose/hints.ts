/** What to do about known roots. One place, so that the same root always gets the same advice. */
export const HINT = {
  imageNotFound:
    'Check repository and tag in the values; on kind, images that no registry has must be loaded into the nodes first.',
  imageDenied:
    'Give the pod imagePullSecrets with access to that repository, or load the image into the nodes.',
  imageUnreachable:
    'The nodes cannot reach the registry: load the image into the nodes, or mend the network or proxy.',
  imageName:
    'Write the reference as repository:tag in lower case; check how the template joins repository and tag.',
  imageNever: 'imagePullPolicy is Never: load the image into every node that may run the pod.',
  quota: 'Raise the ResourceQuota or lower what the pods ask for.',
  limitRange: 'Bring requests and limits within the LimitRange of the namespace.',
  podSecurity: 'Set the named securityContext fields in the chart, or label the namespace for a laxer level.',
  runtimeClass: 'Create the RuntimeClass, or take runtimeClassName out of the values.',
  runtimeHandler:
    "The node's container runtime has no such handler: configure it in containerd and restart containerd.",
  serviceAccount: 'Create the ServiceAccount, or set serviceAccount.create in the values.',
  priorityClass: 'Create the PriorityClass, or take priorityClassName out of the values.',
  webhook:
    'Read what the admission policy asks for; if the webhook itself does not answer, look at its Service and pods.',
  taint: 'Add the toleration to the values, or take the taint off a node.',
  nodeSelector: 'Label a node accordingly, or change nodeSelector / node affinity in the values.',
  resources: 'Lower the requests, free the nodes, or add a node.',
  extended: 'No node offers enough of it: is its device plugin running, or the node capacity set?',
  antiAffinity:
    'Required anti-affinity needs at least one matching node for each replica and for each surge pod: add nodes, or make it preferred.',
  affinity:
    'No node runs a pod that the required pod affinity asks for: check its labels and its topologyKey.',
  topologySpread:
    'Add nodes with that topology label, raise maxSkew, or use whenUnsatisfiable: ScheduleAnyway.',
  ports: 'A host port can be used once per node: add nodes, or do without hostPort.',
  storageClass: 'Create the StorageClass, or name an existing one in the values.',
  claimNode:
    'A ReadWriteOnce claim on node-bound storage ties all its pods to one node: use a ReadWriteMany class for several replicas.',
  claimMissing: 'Create the PersistentVolumeClaim, or let the chart create it.',
  configMap: 'Create the ConfigMap with that name in the namespace, or mend the reference in the chart.',
  secret: 'Create the Secret with that name in the namespace, or mark the reference optional.',
  key: 'Add the key, or mend the reference; mark it optional if the application can do without.',
  memory: 'Raise the memory limit, or make the application use less.',
  command: 'Check command and args of the container against what is in the image.',
  architecture: 'The image was built for another CPU architecture than the node has.',
  permission:
    'The process may not do that as its user: compare runAsUser, capabilities, fsGroup and readOnlyRootFilesystem.',
  startup:
    'Give the container a startupProbe (or a longer initialDelaySeconds) that covers its slowest start.',
  startupProbe:
    'Give the startupProbe more time (failureThreshold × periodSeconds has to cover the slowest start), or mend its path and port.',
  crash: 'Its last words are above; the whole log is in the evidence, as is that of the instance before.',
  scaleTarget: 'Name an existing workload in scaleTargetRef.',
  probePath: 'Check path and port of the probe against what the application serves.',
  probeRefused:
    'Nothing listens there: compare the port of the probe with the one the application opens, and its bind address.',
  probeTimeout: 'Raise timeoutSeconds, or find out what keeps the application from answering.',
  liveness: 'Find out why the application stops answering; if it only was slow, give the probe more time.',
  sigterm:
    'Handle SIGTERM in the main process (exec it, do not wrap it in a shell), or raise terminationGracePeriodSeconds.',
  finalizer: 'Something has to remove the finalizer; look at the controller that set it.',
  node: 'Look at the kubelet of the node; that says nothing about the chart.',
  eviction: 'Give the node more room, or set requests so that the pod is not the first to go.',
  selector: "Make the Service's selector equal to the labels of the pod template.",
  targetPort: "Name the container's port, or give the Service the number.",
  metrics:
    'Install metrics-server and wait for its first readings; every container needs a request of that resource.',
  job: "Read the log of the job's last pod.",
} as const;
