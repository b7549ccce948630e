/**
 * The manifests for Kubernetes: what they say of ports, probes, names and times is true of the program and of each other.
 */
import { spawnSync } from "node:child_process";
import { describe, expect, it, onTestFinished } from "vitest";
import { parseByteSize } from "../../cli/byte-size.ts";
import { parseDurationMs } from "../../cli/duration.ts";
import { readCommandLine } from "../../cli/operator/command-line.ts";
import { ROOT, readSource } from "../architecture/imports.ts";
import { openHttpDoor } from "../server/http/http-fixture.ts";
import { heapBytesOf, settingsOf } from "./example-settings.ts";
import { readYaml, type Yaml } from "./plain-yaml.ts";

type Labels = Readonly<Record<string, string>>;

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
  }[];
  readonly ports: readonly {
    readonly name: string;
    readonly containerPort: number;
    readonly protocol?: string;
  }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly resources: { readonly limits: Readonly<Record<string, string>> };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas: number;
    readonly serviceName?: string;
    readonly podManagementPolicy?: string;
    readonly clusterIP?: string;
    readonly publishNotReadyAddresses?: boolean;
    readonly selector: Labels & { readonly matchLabels: Labels };
    readonly ports: readonly {
      readonly port: number;
      readonly targetPort?: string;
      readonly protocol?: string;
    }[];
    readonly maxUnavailable?: number;
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly enableServiceLinks: boolean;
        readonly terminationGracePeriodSeconds: number;
        readonly topologySpreadConstraints: readonly {
          readonly labelSelector: { readonly matchLabels: Labels };
        }[];
        readonly containers: readonly Container[];
      };
    };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}

/** What a pod finds in place of the fields that its variables are taken from. */
const FIELDS: Labels = {
  "status.podIP": "10.244.1.7",
  "metadata.name": "crema-1",
  "metadata.labels['topology.kubernetes.io/zone']": "",
};

/** A durable node hands its leaderships over in so long when it is stopped. */
const HAND_OVER_MS = 5_000;

function environmentOf({ env }: Container): Labels {
  const found: Record<string, string> = {};
  for (const { name, value, valueFrom } of env) {
    const field = valueFrom === undefined ? undefined : FIELDS[valueFrom.fieldRef.fieldPath];
    const text = value ?? field ?? `${name} comes from nowhere`;
    found[name] = text.replace(/\$\((\w+)\)/g, (_whole, other: string) => found[other] ?? `${other}?`);
  }
  return found;
}

function bytesOf(quantity: string): number {
  return parseByteSize(quantity.replace(/([KMG]i)$/, "$1B").toLowerCase()) ?? Number.NaN;
}

describe.each([
  ["statefulset.yaml", "StatefulSet"],
  ["deployment.yaml", "Deployment"],
])("%s", (file, kind) => {
  const path = `examples/kubernetes/${file}`;
  const manifests = readYaml(readSource(path)) as unknown as readonly Manifest[];
  const workload = manifests.find((manifest) => manifest.kind === kind);
  if (workload === undefined) throw new Error(`${file} holds no ${kind}`);
  const services = manifests.filter((manifest) => manifest.kind === "Service");
  const headless = services.find(({ spec }) => spec.clusterIP === "None");
  const pod = workload.spec.template.spec;
  const [container] = pod.containers;
  if (container === undefined) throw new Error("the pod has no container");
  const environment = environmentOf(container);
  const { node, warnings } = settingsOf(environment);
  const { labels } = workload.spec.template.metadata;

  it("has settings that crema-node takes", () => {
    expect(warnings).toEqual([]);
    expect(node).toMatchObject({
      host: "0.0.0.0",
      insecure: true,
      advertise: FIELDS["status.podIP"],
      zone: "",
    });
  });

  it("names the ports of those settings, and services lead to them", () => {
    const { port, respPort, httpPort } = node;
    const named = Object.fromEntries(container.ports.map((each) => [each.name, each.containerPort]));
    expect(named).toEqual({ cluster: port, gossip: port, redis: respPort, http: httpPort });
    expect(headless?.spec.ports.map((each) => [each.port, each.protocol])).toEqual([
      [port, "TCP"],
      [port, "UDP"],
    ]);
    const client = services.find((each) => each !== headless);
    expect(client?.spec.ports.map((each) => [each.port, named[each.targetPort ?? ""]])).toEqual([
      [respPort, respPort],
      [httpPort, httpPort],
    ]);
  });

  it("selects its own pods everywhere", () => {
    const budget = manifests.find((manifest) => manifest.kind === "PodDisruptionBudget");
    expect(budget?.spec.maxUnavailable).toBe(1);
    const selectors = [
      workload.spec.selector.matchLabels,
      budget?.spec.selector.matchLabels,
      ...services.map(({ spec }) => spec.selector),
      ...pod.topologySpreadConstraints.map(({ labelSelector }) => labelSelector.matchLabels),
    ];
    for (const selector of selectors) expect(selector).toEqual(labels);
    const policy = readSource("examples/kubernetes/networkpolicy.yaml");
    expect(policy).toContain(`"${labels["app.kubernetes.io/name"]}"`);
  });

  it("lets pods find each other before they are ready, and keeps links to services out of the settings", () => {
    expect(headless?.spec.publishNotReadyAddresses).toBe(true);
    expect(pod.enableServiceLinks).toBe(false);
  });

  it("probes paths that the HTTP door has, and restarts nobody for not being ready", async () => {
    const { server, fetch } = await openHttpDoor();
    onTestFinished(() => server.close());
    const { startupProbe, livenessProbe, readinessProbe } = container;
    for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
      expect(httpGet.port).toBe("http");
      expect((await fetch(httpGet.path)).status).toBe(200);
    }
    expect([startupProbe, livenessProbe].map(({ httpGet }) => httpGet.path)).toEqual([
      "/healthz",
      "/healthz",
    ]);
    expect(readinessProbe.httpGet.path).toBe("/readyz");
  });

  it("asks before SIGTERM whether the pod may go, and gives both enough time", async () => {
    const [program, ...argv] = container.lifecycle.preStop.exec.command;
    expect(program).toBe("crema");
    const { command, given } = await readCommandLine(argv);
    expect([command.name, given.flags["safe-to-stop"]]).toEqual(["health", "true"]);
    const waitMs = parseDurationMs(given.flags.wait ?? "") ?? Number.NaN;
    const stopMs = node.dataDir === null ? (node.drainTimeoutMs ?? Number.NaN) : HAND_OVER_MS;
    expect(pod.terminationGracePeriodSeconds * 1_000).toBeGreaterThanOrEqual(waitMs + stopMs + 10_000);
  });

  it("has room for what a node may hold", () => {
    const heapBytes = heapBytesOf(environment);
    expect(heapBytes).toBeGreaterThanOrEqual(2 * (node.maxMemoryBytes ?? Number.NaN));
    expect(bytesOf(container.resources.limits.memory ?? "")).toBeGreaterThanOrEqual(heapBytes + 2 ** 28);
    expect(container.resources.limits.cpu).toBeUndefined();
  });

  it("is read by kubectl without a field left out", ({ skip }) => {
    if (spawnSync("kubectl", ["version", "--client"]).status !== 0) skip("there is no kubectl here");
    // It turns manifests into its own types and back. Of those without a pod template it says so and goes on.
    const argv = [
      "set",
      "env",
      "--local",
      "--dry-run=client",
      "-o",
      "json",
      "-f",
      `${ROOT}${path}`,
      "SEEN=1",
    ];
    const { stdout } = spawnSync("kubectl", argv, { encoding: "utf8" });
    expect(missing(workload as unknown as Yaml, JSON.parse(stdout), kind)).toEqual([]);
  });
});

describe("how the pods found one cluster", () => {
  const workloadIn = (file: string, kind: string): Manifest["spec"] => {
    const all = readYaml(readSource(`examples/kubernetes/${file}`)) as unknown as readonly Manifest[];
    const found = all.find((manifest) => manifest.kind === kind);
    if (found === undefined) throw new Error(`${file} holds no ${kind}`);
    return found.spec;
  };
  const settingsIn = ({ template }: Manifest["spec"]) => {
    const [container] = template.spec.containers;
    if (container === undefined) throw new Error("the pod has no container");
    return settingsOf(environmentOf(container)).node;
  };

  it("with a disk: each first pod is a seat of its own, and none waits for another to be ready", () => {
    const spec = workloadIn("statefulset.yaml", "StatefulSet");
    const seeds = Array.from({ length: spec.replicas }, (_, pod) => `crema-${pod}.${spec.serviceName}:7946`);
    expect(settingsIn(spec).seeds).toEqual(seeds);
    expect(spec.podManagementPolicy).toBe("Parallel");
    expect(spec.template.spec.containers[0]?.volumeMounts?.[0]).toEqual({
      name: spec.volumeClaimTemplates?.[0]?.metadata.name,
      mountPath: settingsIn(spec).dataDir,
    });
  });

  it("in memory: one name, and nothing before as many pods have met as there are replicas", () => {
    const spec = workloadIn("deployment.yaml", "Deployment");
    expect(settingsIn(spec)).toMatchObject({
      seeds: ["crema-memory-peers:7946"],
      bootstrapExpect: spec.replicas,
    });
  });
});

/** Paths in `wanted` that `found` has not, or has otherwise. */
function missing(wanted: Yaml, found: unknown, path: string): readonly string[] {
  if (typeof wanted !== "object" || wanted === null) {
    return String(wanted) === String(found) ? [] : [`${path}: ${wanted} became ${found}`];
  }
  if (typeof found !== "object" || found === null) return [path];
  return Object.entries(wanted).flatMap(([key, value]) => {
    const inside: unknown = Object.entries(found).find(([name]) => name === key)?.[1];
    return missing(value, inside, `${path}.${key}`);
  });
}
