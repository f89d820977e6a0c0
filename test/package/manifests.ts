/** What the pods of deploy/k8s run; the test of the image runs the same. */
export const POD_ARGS = ["server", "--data-port", "12866"] as const;

/** As far as the tests look into them; their whole shape is checked against Kubernetes' own. */
export interface Manifest {
  apiVersion: string;
  kind: "Pod" | "Service";
  metadata: { name: string; labels?: Record<string, string> };
  spec: {
    hostNetwork?: boolean;
    nodeSelector?: Record<string, string>;
    selector?: Record<string, string>;
    ports?: { port: number; protocol?: string }[];
    securityContext?: object;
    containers?: Container[];
  };
}

export interface Container {
  args: string[];
  ports: { containerPort: number; protocol?: string }[];
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  securityContext: object;
}
