/**
 * The two workloads of `examples/kubernetes`, from nothing through a rolling update, with the environment that stands in the manifests: each pod is a
 * process with an address of its own and a hosts file of its own, which shows what DNS shows to that pod. Clients write all the
 * time, and no write may fail or be lost. Needs what makes a mount namespace; skipped elsewhere.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it, onTestFailed, onTestFinished } from "vitest";
import { ROOT, readSource } from "../architecture/imports.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { readYaml } from "./plain-yaml.ts";

const PODS = [0, 1, 2];
const HTTP_PORT = 7980;
const hasNamespaces = spawnSync("unshare", ["-m", "true"]).status === 0;

interface Workload {
  readonly kind: string;
  readonly spec: {
    readonly serviceName?: string;
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly env: readonly { readonly name: string; readonly value?: string }[];
          readonly lifecycle: {
            readonly preStop: { readonly exec: { readonly command: readonly string[] } };
          };
        }[];
      };
    };
  };
}

/** Pods on addresses of their own, of the loopback network that nobody else uses. */
class Pods {
  readonly root = mkdtempSync(join(tmpdir(), "crema-pods-"));
  readonly running = new Map<string, Pod>();
  readonly #network = `127.${77 + Math.floor(Math.random() * 100)}.${Math.floor(Math.random() * 250)}`;
  readonly #container: Workload["spec"]["template"]["spec"]["containers"][number];
  readonly #nameOf: (pod: Pod) => string;
  #started = 0;

  /** `nameOf`: the name behind which DNS shows a pod. */
  constructor(file: string, kind: string, nameOf: (pod: Pod) => string) {
    const manifests = readYaml(readSource(`examples/kubernetes/${file}`)) as unknown as readonly Workload[];
    const container = manifests.find((manifest) => manifest.kind === kind)?.spec.template.spec.containers[0];
    if (container === undefined) throw new Error(`${file} holds no ${kind}`);
    this.#container = container;
    this.#nameOf = nameOf;
    onTestFailed(() => {
      for (const pod of this.running.values())
        process.stderr.write(`${pod.name}:\n${pod.log.slice(-2_000)}\n`);
    });
    onTestFinished(async () => {
      await Promise.all([...this.running.values()].map((pod) => pod.kill()));
      rmSync(this.root, { recursive: true, force: true });
    });
  }

  /** The new pod sees only itself until {@link showAll}. */
  start(name: string): Pod {
    this.#started++;
    const address = `${this.#network}.${this.#started}`;
    const hosts = join(this.root, `hosts-${this.#started}`);
    const values = this.#container.env.flatMap(({ name: variable, value }) => {
      return value === undefined ? [] : [[variable, value.replace("$(POD_IP)", address)] as const];
    });
    const environment: Record<string, string> = { ...Object.fromEntries(values), CREMA_NAME: name };
    // One machine stands for many: a pod takes its own address only, and its own folder.
    environment.CREMA_HOST = address;
    if (environment.CREMA_DATA_DIR !== undefined)
      environment.CREMA_DATA_DIR = join(this.root, `data-${name}`);
    const pod = new Pod(name, address, hosts, environment);
    this.running.set(name, pod);
    this.#show(pod, [pod]);
    pod.start();
    return pod;
  }

  /** DNS shows all pods to all. */
  showAll(): void {
    for (const pod of this.running.values()) this.#show(pod, [...this.running.values()]);
  }

  /** What Kubernetes does to a pod that shall go: the hook, then SIGTERM. */
  async stop(pod: Pod): Promise<void> {
    const [program = "", ...argv] = this.#container.lifecycle.preStop.exec.command;
    const path = `${ROOT}dist/cli/${program}.js`;
    const hook = spawn(process.execPath, [path, ...argv, "--http", `${pod.address}:${HTTP_PORT}`]);
    expect(await once(hook, "exit")).toEqual([0, null]);
    this.running.delete(pod.name);
    await pod.terminate();
  }

  #show(to: Pod, pods: readonly Pod[]): void {
    const lines = ["127.0.0.1 localhost", ...pods.map((pod) => `${pod.address} ${this.#nameOf(pod)}`)];
    writeFileSync(to.hosts, `${lines.join("\n")}\n`);
  }
}

class Pod {
  log = "";
  readonly name: string;
  readonly address: string;
  readonly hosts: string;
  readonly #environment: Readonly<Record<string, string>>;
  #process: ChildProcess | null = null;

  constructor(name: string, address: string, hosts: string, environment: Readonly<Record<string, string>>) {
    this.name = name;
    this.address = address;
    this.hosts = hosts;
    this.#environment = environment;
  }

  start(): void {
    const mounted = 'mount --bind "$0" /etc/hosts && exec "$@"';
    const node = [process.execPath, `${ROOT}dist/cli/crema-node.js`];
    const env = { PATH: process.env.PATH, ...this.#environment };
    this.#process = spawn("unshare", ["-m", "sh", "-c", mounted, this.hosts, ...node], { env });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on("data", (text) => {
        this.log += String(text);
      });
    }
  }

  get clusterId(): string | undefined {
    return /"clusterId":"(\w+)"/.exec(this.log)?.[1];
  }

  async ask(
    path: string,
    init: RequestInit = {},
  ): Promise<{ readonly status: number; readonly text: string }> {
    const signal = AbortSignal.timeout(10_000);
    const response = await fetch(`http://${this.address}:${HTTP_PORT}${path}`, { signal, ...init });
    return { status: response.status, text: await response.text() };
  }

  /** Resolves once /readyz answers with `status`, and in its text `words`. */
  async until(status: number, words = ""): Promise<void> {
    await waitUntil(`${this.name} answers ${status} ${words}`, 60_000, async () => {
      const answer = await this.ask("/readyz");
      if (answer.status !== status || !answer.text.includes(words)) throw new Error(answer.text);
      return true;
    });
  }

  /** SIGTERM; resolves when the process is gone, which it must be in order. */
  async terminate(): Promise<void> {
    const exited = this.#process === null ? [] : once(this.#process, "exit");
    this.#process?.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
  }

  async kill(): Promise<void> {
    if (this.#process === null || this.#process.exitCode !== null) return;
    const exited = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exited;
  }
}

/** Clients that write through one ready pod after the other, until told to stop. */
class Writers {
  readonly acknowledged = new Map<string, string>();
  readonly failures: string[] = [];
  readonly #serving: () => readonly Pod[];
  readonly #done: Promise<void>;
  #stopped = false;

  constructor(serving: () => readonly Pod[]) {
    this.#serving = serving;
    this.#done = this.#write();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #write(): Promise<void> {
    for (let round = 0; !this.#stopped; round++) {
      const pods = this.#serving();
      const key = `key-${round % 500}`;
      const pod = pods[round % pods.length];
      const writing = pod?.ask(`/kv/${key}`, { method: "PUT", body: String(round) });
      const answer = await writing?.catch((error: unknown) => ({ status: 0, text: String(error) }));
      if (answer?.status === 204) this.acknowledged.set(key, String(round));
      else this.failures.push(answer?.text ?? "nobody serves");
      await delay(2);
    }
  }
}

it.for([
  {
    file: "statefulset.yaml",
    kind: "StatefulSet",
    alone: "1 of 3 seeds can take part in founding a cluster, 2 are needed",
  },
  {
    file: "deployment.yaml",
    kind: "Deployment",
    alone: "1 of 1 seeds can take part in founding a cluster, 3 are needed",
  },
])(
  "$file: one cluster, whatever DNS shows at first, and an update without a lost or failed write",
  {
    timeout: 180_000,
  },
  async ({ file, kind, alone }, { skip }) => {
    if (!hasNamespaces) skip("no mount namespaces can be made here");
    const hasDisks = kind === "StatefulSet";
    const pods = new Pods(file, kind, ({ name }) =>
      hasDisks ? `${name}.crema-peers` : "crema-memory-peers",
    );
    for (const number of PODS) pods.start(`crema-${number}`);
    for (const pod of pods.running.values()) await pod.until(503, alone);
    pods.showAll();
    for (const pod of pods.running.values()) await pod.until(200);
    const clusters = () => new Set([...pods.running.values()].map(({ clusterId }) => clusterId));
    expect(clusters().size).toBe(1);
    const founded = clusters();

    const serving = new Set(pods.running.values());
    const writers = new Writers(() => [...serving]);
    await waitUntil("writers are at work", 30_000, () => writers.acknowledged.size === 500 || null);
    for (const number of PODS.toReversed()) {
      const old = pods.running.get(`crema-${number}`);
      if (old === undefined) throw new Error(`crema-${number} does not run`);
      if (!hasDisks) {
        // A Deployment starts the new one first.
        const fresh = pods.start(`crema-new-${number}`);
        pods.showAll();
        await fresh.until(200);
        serving.add(fresh);
      }
      serving.delete(old);
      await pods.stop(old);
      if (hasDisks) {
        // Back under its name at another address, while DNS shows the others the old one until it is ready.
        const back = pods.start(`crema-${number}`);
        await back.until(200);
        serving.add(back);
      }
      pods.showAll();
    }
    await writers.stop();
    expect(writers.failures).toEqual([]);
    expect(clusters()).toEqual(founded);
    const [last] = [...pods.running.values()].slice(-1);
    for (const [key, value] of writers.acknowledged)
      expect(await last?.ask(`/kv/${key}`)).toEqual({ status: 200, text: value });
  },
);
