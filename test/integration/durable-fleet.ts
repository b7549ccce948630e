/**
 * Three durable nodes at fixed addresses, each a seed of all: what a fleet of machines with disks is.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { freePorts, TestCluster } from "./harness.ts";
import type { ExitStatus, NodeProcess } from "./node-process.ts";

export class DurableFleet {
  readonly cluster = new TestCluster();
  readonly root = mkdtempSync(join(tmpdir(), "crema-durable-"));
  readonly respPorts: readonly number[];
  readonly #clusterPorts: readonly number[];
  readonly #flags: Readonly<Record<string, string>>;
  readonly #running: (NodeProcess | null)[];

  private constructor(
    clusterPorts: readonly number[],
    respPorts: readonly number[],
    flags: Readonly<Record<string, string>>,
  ) {
    this.#clusterPorts = clusterPorts;
    this.respPorts = respPorts;
    this.#flags = flags;
    this.#running = clusterPorts.map(() => null);
    // Registered before the processes' own end, so run after it.
    onTestFinished(() => rmSync(this.root, { recursive: true, force: true }));
  }

  /** Call inside a test. Resolves once all shards are fully replicated. */
  static async start(size: number, flags: Readonly<Record<string, string>> = {}): Promise<DurableFleet> {
    const ports = await freePorts(size * 2);
    const fleet = new DurableFleet(ports.slice(0, size), ports.slice(size), flags);
    await fleet.startStopped();
    return fleet;
  }

  get size(): number {
    return this.#clusterPorts.length;
  }

  dataDir(member: number): string {
    return join(this.root, String(member));
  }

  node(member: number): NodeProcess {
    const node = this.#running[member];
    if (node === null || node === undefined) throw new Error(`member ${member} does not run`);
    return node;
  }

  /** Starts one without waiting for it. */
  launch(member: number, flags: Readonly<Record<string, string>> = {}): NodeProcess {
    const node = this.cluster.launch({
      seed: this.#clusterPorts.map((port) => `127.0.0.1:${port}`).join(","),
      port: String(this.#clusterPorts[member]),
      "resp-port": String(this.respPorts[member]),
      "data-dir": this.dataDir(member),
      ...this.#flags,
      ...flags,
    });
    this.#running[member] = node;
    return node;
  }

  /** Starts all that do not run; resolves once every shard has all its voters and a leader. */
  async startStopped(): Promise<void> {
    const stopped = this.#running.flatMap((node, member) => (node === null ? [member] : []));
    await Promise.all(stopped.map((member) => this.launch(member).untilReady()));
    await this.cluster.untilSettled();
  }

  /** `kill -9` of these members at once. */
  async kill(members: readonly number[]): Promise<void> {
    const killed = members.map((member) => this.node(member));
    for (const member of members) this.#running[member] = null;
    await Promise.all(killed.map((node) => node.kill()));
  }

  /** SIGTERM; resolves with how the process ended. */
  async stop(member: number): Promise<ExitStatus> {
    const status = await this.node(member).terminate();
    this.#running[member] = null;
    return status;
  }

  /** Writes `bytes` at `offset` of the write-ahead log of a member that does not run. */
  overwriteLog(member: number, offset: number, bytes: Uint8Array): void {
    const folder = join(this.dataDir(member), "log");
    const [file] = readdirSync(folder).filter((name) => name.endsWith(".log"));
    if (file === undefined) throw new Error(`${folder} holds no write-ahead log`);
    const content = readFileSync(join(folder, file));
    content.set(bytes, offset);
    writeFileSync(join(folder, file), content);
  }

  /** The member that leads most shards. */
  async busiestLeader(): Promise<number> {
    const status = await this.cluster.status();
    const led = this.#running.map(
      (node) => status.shards.filter(({ leader }) => leader === node?.ready.nodeId).length,
    );
    return led.indexOf(Math.max(...led));
  }
}
