/**
 * Whole nodes in virtual time: the production code of every room above the adapters, on a virtual clock and network.
 * One seed, one history.
 */
import { type Address, formatAddress } from "../../src/base/address.ts";
import { type GroupId, groupId, type NodeId } from "../../src/base/ids.ts";
import { Random } from "../../src/base/random.ts";
import type { Resolver } from "../../src/host/ports.ts";
import { VolatileLogStore } from "../../src/host/volatile-log-store.ts";
import { ClusterNode, type NodePorts } from "../../src/node/cluster-node.ts";
import { type NodeOptions, resolveNodeOptions } from "../../src/node/options.ts";
import { loadKeyHash } from "../../src/placement/key-hash.ts";
import { VirtualClock } from "../../src/sim/virtual-clock.ts";
import { VirtualDisk } from "../../src/sim/virtual-disk.ts";
import { VirtualLogStore } from "../../src/sim/virtual-log-store.ts";
import { type CrashManner, VirtualNetwork } from "../../src/sim/virtual-network.ts";
import type { VirtualProcess } from "../../src/sim/virtual-process.ts";

const RESOLVER: Resolver = { resolve: async (seed) => [seed] };
/** Small, so that files are rewritten all the time. */
const REWRITE_BYTES = 64 * 1024;
const keyHash = await loadKeyHash();

export interface VirtualMember {
  readonly node: ClusterNode;
  readonly address: Address;
  readonly clock: VirtualProcess;
  readonly log: string[];
  /** null in memory mode. Outlives the member. */
  readonly disk: VirtualDisk | null;
  alive: boolean;
}

/** What a node starts from and writes to, how, and who watches. */
type Memory = Pick<NodePorts, "store" | "past" | "host" | "probe" | "events"> &
  Partial<Pick<NodePorts, "resolver">>;

export class VirtualCluster {
  readonly clock = new VirtualClock();
  readonly network: VirtualNetwork;
  readonly random: Random;
  readonly members: VirtualMember[] = [];
  /** By machine. */
  readonly #disks = new Map<number, VirtualDisk>();

  constructor(seed: number) {
    this.random = new Random(seed, 0x5eed);
    this.network = new VirtualNetwork(this.clock, this.random.fork());
  }

  /** Address of the machine with this number. */
  address(machine: number): Address {
    return { host: `10.0.0.${machine}`, port: 7946 };
  }

  /** The disk of `machine`. */
  disk(machine: number): VirtualDisk {
    const disk = this.#disks.get(machine) ?? new VirtualDisk(this.clock, this.random.fork());
    this.#disks.set(machine, disk);
    return disk;
  }

  /** Starts a durable process on `machine`: the node that its disk tells of, or a new one. */
  async startDurable(
    machine: number,
    seeds: readonly number[] = [],
    options: Partial<NodeOptions> = {},
    {
      disk = this.disk(machine),
      ...extras
    }: { disk?: VirtualDisk } & Pick<NodePorts, "host" | "probe" | "events"> = {},
  ): Promise<VirtualMember> {
    const store = new VirtualLogStore(disk, this.clock, REWRITE_BYTES);
    const past = await store.load();
    return this.start(machine, seeds, options, { store, past, ...extras }, disk);
  }

  /** Starts a process on `machine`. `seeds`: machine numbers. */
  start(
    machine: number,
    seeds: readonly number[] = [],
    options: Partial<NodeOptions> = {},
    memory: Memory = { store: new VolatileLogStore() },
    disk: VirtualDisk | null = null,
  ): VirtualMember {
    const address = this.address(machine);
    const clock = this.clock.process();
    const log: string[] = [];
    const resolved = resolveNodeOptions({
      seeds: seeds.map((seed) => formatAddress(this.address(seed))),
      insecure: true,
      name: `m${machine}`,
      ...options,
    });
    const node = new ClusterNode(
      {
        clock,
        random: this.random.fork(),
        datagrams: this.network.datagrams(address),
        streams: this.network.streams(address),
        resolver: RESOLVER,
        keyHash,
        ...memory,
      },
      resolved,
      (level, message) => log.push(`${clock.nowMs().toFixed(1)} ${level} ${message}`),
    );
    node.start();
    const member: VirtualMember = { node, address, clock, log, disk, alive: true };
    this.members.push(member);
    return member;
  }

  get living(): readonly VirtualMember[] {
    return this.members.filter(({ alive }) => alive);
  }

  kill(member: VirtualMember, manner: CrashManner = "killed"): void {
    member.alive = false;
    member.clock.halt();
    this.network.crash(member.address, manner);
    member.disk?.crash();
  }

  run(ms: number): Promise<void> {
    return this.clock.runFor(ms);
  }

  until(condition: () => boolean, limitMs: number): Promise<boolean> {
    return this.clock.runUntil(condition, limitMs);
  }

  /** Waits in virtual time for what `work` promises. */
  async settle<T>(work: Promise<T>, limitMs = 30_000): Promise<T> {
    let done = false;
    const mark = (): void => {
      done = true;
    };
    work.then(mark, mark);
    const ended = await this.until(() => done, limitMs);
    if (!ended) throw new Error(`not settled within ${limitMs} virtual ms`);
    return work;
  }

  get ready(): boolean {
    return this.living.every(({ node }) => node.notReadyReason() === null);
  }

  /** The one leader of each group, as the leaders themselves see it; null where there is none or more than one. */
  leaders(): (NodeId | null)[] {
    const shards = this.living[0]?.node.control.map?.shardCount ?? 0;
    return Array.from({ length: shards }, (_, shard) => this.leaderOf(groupId(shard + 1)));
  }

  leaderOf(group: GroupId): NodeId | null {
    const leading = this.living.filter(({ node }) => node.groups.get(group)?.isReadyLeader === true);
    return leading.length === 1 ? (leading[0]?.node.nodeId ?? null) : null;
  }

  /**
   * Every shard has exactly `voters` voters, all of them living, no learner, not joint; and every replica knows it: a
   * leader that has just left a joint configuration, and is alone in knowing so, may not be lost yet.
   */
  settledWith(voters: number): boolean {
    const living = new Set(this.living.map(({ node }) => node.nodeId));
    const map = this.living[0]?.node.control.map;
    if (map === null || map === undefined) return false;
    for (let shard = 0; shard < map.shardCount; shard++) {
      const leader = this.living.find(
        ({ node }) => node.groups.get(groupId(shard + 1))?.isReadyLeader === true,
      );
      const configuration = leader?.node.groups.get(groupId(shard + 1))?.raft.configuration;
      if (configuration === undefined || configuration.votersOutgoing.length > 0) return false;
      if (configuration.voters.length !== voters || configuration.learners.length > 0) return false;
      if (!configuration.voters.every((node) => living.has(node))) return false;
      for (const { node } of this.living) {
        const replica = node.groups.get(groupId(shard + 1));
        if (replica === undefined || !configuration.voters.includes(node.nodeId)) continue;
        if (replica.raft.configuration.votersOutgoing.length > 0) return false;
        if (replica.raft.commit < (leader?.node.groups.get(groupId(shard + 1))?.raft.commit ?? 0))
          return false;
      }
    }
    return true;
  }
}
