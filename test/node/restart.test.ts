/**
 * Durable nodes that lose their processes and come back with their disks under their old ids: one, a majority, all of
 * them, at random moments, under a load that is not idempotent. Every acknowledged increment is there, none is there
 * twice, nobody votes twice in a term over two lives, and there is one cluster for ever.
 * `RESTART_SEEDS=100 RESTART_FIRST=5000` runs more of them.
 */
import { expect, test } from "vitest";
import { CremaError } from "../../src/base/errors.ts";
import { groupId, type NodeId } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import type { HostOptions } from "../../src/host/options.ts";
import type { RaftGroup } from "../../src/host/raft-group.ts";
import { ShardMachine } from "../../src/node/shard-machine.ts";
import { VirtualDisk } from "../../src/sim/virtual-disk.ts";
import { VirtualCluster, type VirtualMember } from "../support/virtual-cluster.ts";
import { VoteWitness } from "../support/vote-witness.ts";

const SEEDS =
  process.env.RESTART_SEEDS === undefined
    ? [1, 2, 3, 4, 6]
    : Array.from(
        { length: Number(process.env.RESTART_SEEDS) },
        (_, at) => Number(process.env.RESTART_FIRST ?? 1) + at,
      );
const SEED_MACHINES = [1, 2, 3];
const SHARDS = 4;
const KEYS = 8;
const ROUNDS = 8;

class Restarts {
  readonly cluster: VirtualCluster;
  readonly random: Random;
  readonly witness = new VoteWitness();
  readonly story: string[] = [];
  readonly ids = new Map<number, NodeId>();
  readonly acknowledged = new Map<string, number>();
  readonly open = new Map<string, number>();
  readonly running = new Map<number, VirtualMember>();
  /** Short logs in every other history: checkpoints and snapshots all the time. */
  readonly host: Partial<HostOptions>;
  /**
   * In every third one there are more machines than replicas, and who is away for long is replaced: groups move, end and
   * begin again on disks that remember them.
   */
  readonly machines: readonly number[];
  readonly deadGraceMs: number;
  /** Machines whose node the cluster has removed. */
  readonly removed = new Set<number>();
  readonly #disks = new Map<number, VirtualDisk>();
  #stopped = false;

  constructor(seed: number) {
    this.host =
      seed % 2 === 0 ? {} : { logEntriesMax: 40, checkpointLogBytes: 512, checkpointIntervalMs: 1_000 };
    this.machines = seed % 3 === 0 ? [1, 2, 3, 4, 5] : SEED_MACHINES;
    this.deadGraceMs = seed % 3 === 0 ? 1_500 : 60_000;
    this.cluster = new VirtualCluster(seed);
    this.random = new Random(seed, 0xd15c);
  }

  async start(machine: number): Promise<void> {
    const options = { shards: SHARDS, deadGraceMs: this.deadGraceMs };
    const disk = this.#disks.get(machine) ?? this.#newDisk();
    this.#disks.set(machine, disk);
    const { host } = this;
    const { probe } = this.witness;
    const member = await this.cluster.startDurable(machine, SEED_MACHINES, options, { disk, host, probe });
    member.node.onRemoved = () => void this.removed.add(machine);
    const known = this.ids.get(machine);
    if (known !== undefined) expect(member.node.nodeId, this.told).toBe(known);
    this.ids.set(machine, member.node.nodeId);
    this.running.set(machine, member);
    for (let client = 0; client < 2; client++) void this.#client(member);
  }

  kill(machine: number): void {
    const member = this.running.get(machine);
    if (member === undefined) return;
    // Its clients die with it: whatever they had asked for may have been applied.
    for (let key = 0; key < KEYS; key++) add(this.open, `counter:${key}`, 2);
    this.tell(`kill m${machine}`);
    this.cluster.kill(member, this.random.nextBelow(2) === 0 ? "killed" : "power-lost");
    this.running.delete(machine);
  }

  get settled(): boolean {
    const whole = this.running.size === this.machines.length && this.removed.size === 0;
    return whole && this.cluster.ready && this.cluster.settledWith(3);
  }

  async settle(): Promise<void> {
    do {
      for (const machine of [...this.removed]) await this.#replace(machine);
      await this.cluster.until(() => this.settled || this.removed.size > 0, 60_000);
    } while (this.removed.size > 0);
    expect(this.settled, `${this.told}\n${this.reasons()}`).toBe(true);
  }

  /** Some die at once or one after the other, and come back in any order, after any time. */
  async round(): Promise<void> {
    await this.cluster.run(this.random.nextBelow(1_500));
    const dying = this.random
      .shuffle([...this.machines])
      .slice(0, 1 + this.random.nextBelow(this.machines.length));
    for (const machine of dying) {
      this.kill(machine);
      if (this.random.nextBelow(2) === 0) await this.cluster.run(this.random.nextBelow(40));
    }
    for (const machine of this.random.shuffle(dying)) {
      await this.cluster.run(this.random.nextBelow(this.random.nextBelow(4) === 0 ? 6_000 : 300));
      this.tell(`start m${machine}`);
      await this.start(machine);
      // Some die again before they know what happened.
      if (this.random.nextBelow(4) === 0) {
        await this.cluster.run(this.random.nextBelow(200));
        this.kill(machine);
        await this.start(machine);
      }
    }
    if (this.random.nextBelow(2) === 0) await this.settle();
  }

  async finish(): Promise<void> {
    await this.settle();
    this.#stopped = true;
    await this.cluster.run(4_000);
    const via = [...this.running.values()][0] as VirtualMember;
    for (const [key, count] of this.acknowledged) {
      const value = Number(await this.cluster.settle(via.node.cache.consistentGet(key)));
      expect(value, `${key} lost\n${this.told}`).toBeGreaterThanOrEqual(count);
      expect(value, `${key} doubled\n${this.told}`).toBeLessThanOrEqual(count + (this.open.get(key) ?? 0));
    }
    expect(new Set([...this.running.values()].map(({ node }) => node.clusterId)).size).toBe(1);
    for (let shard = 1; shard <= SHARDS; shard++) {
      const states = [...this.running.values()]
        .map(({ node }) => node.groups.get(groupId(shard)))
        .filter((replica) => replica?.raft.configuration.voters.includes(replica.raft.self) === true)
        .map(stateOf);
      expect(states).toHaveLength(3);
      expect(new Set(states).size, `shard ${shard - 1} differs: ${states.join(" | ")}`).toBe(1);
    }
    expect(this.witness.violations).toEqual([]);
  }

  /** The cluster went on without the node on `machine`: a new one, on an empty disk. */
  async #replace(machine: number): Promise<void> {
    this.kill(machine);
    this.removed.delete(machine);
    this.ids.delete(machine);
    this.#disks.delete(machine);
    this.tell(`new m${machine}`);
    await this.start(machine);
  }

  #newDisk(): VirtualDisk {
    return new VirtualDisk(this.cluster.clock, this.cluster.random.fork(), { syncMeanMs: 2, slowRate: 0.02 });
  }

  tell(what: string): void {
    this.story.push(`${this.cluster.clock.nowMs().toFixed(0)} ms: ${what}`);
  }

  get told(): string {
    return this.story.join("\n");
  }

  reasons(): string {
    return [...this.running.values()]
      .map(({ node, log }) => `${node.options.name}: ${node.notReadyReason()}\n${log.slice(-12).join("\n")}`)
      .join("\n");
  }

  async #client(member: VirtualMember): Promise<void> {
    while (!this.#stopped && member.alive) {
      const key = `counter:${this.random.nextBelow(KEYS)}`;
      try {
        await member.node.cache.increment(key, 1, { timeoutMs: 3_000 });
        add(this.acknowledged, key, 1);
      } catch (error) {
        if (!(error instanceof CremaError)) throw error;
        if (error.ambiguous) add(this.open, key, 1);
      }
      await new Promise<void>((resolve) => void member.clock.setTimer(this.random.nextFloat() * 20, resolve));
    }
  }
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function stateOf(replica: RaftGroup<unknown> | undefined): string {
  if (!(replica?.machine instanceof ShardMachine)) throw new Error("a shard has a shard machine");
  return `${replica.raft.applied} ${replica.machine.cache.digest()}`;
}

for (const seed of SEEDS) {
  test(`restarts ${seed} lose nothing, double nothing, and found nothing`, async () => {
    const restarts = new Restarts(seed);
    for (const machine of restarts.machines) await restarts.start(machine);
    await restarts.settle();
    for (let round = 0; round < ROUNDS; round++) await restarts.round();
    await restarts.finish();
  }, 120_000);
}
