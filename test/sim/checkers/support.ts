/**
 * What the tests of the checkers share: a context that remembers findings, replicas made of nothing but what a checker
 * looks at, and a small watched cluster of real nodes in virtual time.
 */
import { formatAddress } from "../../../src/base/address.ts";
import { type GroupId, groupId, logIndex, type NodeId, nodeId, term } from "../../../src/base/ids.ts";
import { Random } from "../../../src/base/random.ts";
import type { Resolver } from "../../../src/host/ports.ts";
import type { RaftGroup } from "../../../src/host/raft-group.ts";
import { VolatileLogStore } from "../../../src/host/volatile-log-store.ts";
import { ClusterNode } from "../../../src/node/cluster-node.ts";
import { type NodeOptions, resolveNodeOptions } from "../../../src/node/options.ts";
import { loadKeyHash } from "../../../src/placement/key-hash.ts";
import { type Configuration, configurationOf, EMPTY_CONFIGURATION } from "../../../src/raft/configuration.ts";
import type { DataEntry, MembershipEntry, NoopEntry } from "../../../src/raft/entry.ts";
import type { PersistRequest, Ready, Role } from "../../../src/raft/ready.ts";
import type { CheckerContext } from "../../../src/sim/checkers/checker.ts";
import type { Observer } from "../../../src/sim/checkers/observer.ts";
import type { Life } from "../../../src/sim/life.ts";
import { VirtualClock } from "../../../src/sim/virtual-clock.ts";
import { type CrashManner, VirtualNetwork } from "../../../src/sim/virtual-network.ts";

const keyHash = await loadKeyHash();
const RESOLVER: Resolver = { resolve: async (seed) => [seed] };

/** How wrong the clocks of a {@link WatchedCluster} run, as a fraction. */
export const CLOCK_DRIFT_MAX = 0.001;

/** Remembers what is reported. */
export class Findings implements CheckerContext {
  atMs = 0;
  readonly all: { message: string; details: Readonly<Record<string, unknown>>; lives: readonly string[] }[] =
    [];

  nowMs(): number {
    return this.atMs;
  }

  report(message: string, details: Readonly<Record<string, unknown>>, lives: readonly Life[]): void {
    this.all.push({ message, details, lives: lives.map(({ name }) => name) });
  }

  get messages(): readonly string[] {
    return this.all.map(({ message }) => message);
  }
}

/** The node id that ends in `number`. */
export function node(number: number): NodeId {
  return nodeId(number.toString(16).padStart(16, "0"));
}

/** A life of node `number` in cluster `clusterId` that holds `groups`. */
export function fakeLife(
  number: number,
  life = 1,
  clusterId: string | null = "00000000000000cc",
  groups: readonly RaftGroup<unknown>[] = [],
): Life {
  const name = life === 1 ? `m${number}` : `m${number}#${life}`;
  const inside = { nodeId: node(number), clusterId, groups: { groups: () => groups.values() } };
  return { name, machine: number, node: inside } as unknown as Life;
}

export interface FakeReplica {
  role: Role;
  term: number;
  commit: number;
  applied: number;
  stable: number;
  baseIndex: number;
  lastIndex: number;
  lastTerm: number;
  configuration: Configuration;
  configurationIndex: number;
  machine: unknown;
}

/** A replica that says of itself what `state` says at the moment. */
export function fakeGroup(
  state: Partial<FakeReplica> = {},
  id = 1,
): FakeReplica & { group: RaftGroup<unknown> } {
  const replica: FakeReplica = {
    role: "follower",
    term: 1,
    commit: 1,
    applied: 1,
    stable: 1,
    baseIndex: 1,
    lastIndex: 1,
    lastTerm: 1,
    configuration: configurationOf([node(1), node(2), node(3)]),
    configurationIndex: 1,
    machine: null,
    ...state,
  };
  const raft = {
    get role() {
      return replica.role;
    },
    get term() {
      return replica.term;
    },
    get commit() {
      return replica.commit;
    },
    get applied() {
      return replica.applied;
    },
    get lastIndex() {
      return replica.lastIndex;
    },
    get firstIndex() {
      return replica.baseIndex + 1;
    },
    get configuration() {
      return replica.configuration;
    },
    status: () => replica,
  };
  const group = {
    id: groupId(id) as GroupId,
    raft,
    get machine() {
      return replica.machine;
    },
  } as unknown as RaftGroup<unknown>;
  return Object.assign(replica, { group });
}

export function noop(index: number, inTerm: number): NoopEntry {
  return { kind: "noop", index: logIndex(index), term: term(inTerm) };
}

export function data(index: number, inTerm: number, bytes: string | Uint8Array): DataEntry {
  const whole = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  return { kind: "data", index: logIndex(index), term: term(inTerm), data: whole };
}

export function membership(
  index: number,
  inTerm: number,
  configuration: Partial<Configuration>,
): MembershipEntry {
  return {
    kind: "membership",
    index: logIndex(index),
    term: term(inTerm),
    configuration: { ...EMPTY_CONFIGURATION, ...configuration },
  };
}

export function ready(parts: Partial<Ready>): Ready {
  return {
    persist: null,
    messages: [],
    committed: [],
    reads: [],
    readsLost: [],
    snapshotsWanted: [],
    leadership: null,
    configuration: null,
    ...parts,
  };
}

export function persist(parts: Partial<PersistRequest>): PersistRequest {
  return { receipt: 1, hardState: null, entries: [], snapshot: null, ...parts };
}

/** Real nodes in virtual time with an observer at every one; without one, the same world unwatched. */
export class WatchedCluster {
  readonly clock = new VirtualClock();
  readonly network: VirtualNetwork;
  readonly random: Random;
  readonly lives: Life[] = [];
  readonly #observer: Observer | null;
  readonly #options: Partial<NodeOptions>;
  readonly #byProcess = new Map<number, Life>();
  #touched: Life | null = null;

  constructor(seed: number, observer: Observer | null, options: Partial<NodeOptions> = {}) {
    this.random = new Random(seed, 0xc4ec);
    this.network = new VirtualNetwork(this.clock, this.random.fork());
    this.#observer = observer;
    this.#options = options;
    if (observer === null) return;
    this.clock.onEntered = (process) => {
      this.#touched = this.#byProcess.get(process.number) ?? null;
    };
    this.clock.onSettled = () => {
      if (this.#touched !== null) observer.after(this.#touched);
      this.#touched = null;
    };
  }

  start(machine: number, seeds: readonly number[] = []): Life {
    const address = this.address(machine);
    const drift = (this.random.nextFloat() * 2 - 1) * CLOCK_DRIFT_MAX;
    const process = this.clock.process({ originMs: this.random.nextBelow(1_000_000), rate: 1 + drift });
    const lives = this.lives.filter((life) => life.machine === machine).length;
    const name = lives === 0 ? `m${machine}` : `m${machine}#${lives + 1}`;
    const resolved = resolveNodeOptions({
      seeds: seeds.map((seed) => formatAddress(this.address(seed))),
      insecure: true,
      name,
      ...this.#options,
    });
    const holder: { life: Life | null } = { life: null };
    const probe = this.#observer?.probeFor(() => holder.life as Life);
    const inside = new ClusterNode(
      {
        clock: process,
        random: this.random.fork(),
        datagrams: this.network.datagrams(address, process),
        streams: this.network.streams(address, process),
        resolver: RESOLVER,
        store: new VolatileLogStore(),
        keyHash,
        ...(probe === undefined ? {} : { probe }),
      },
      resolved,
      () => {},
    );
    const life: Life = { name, machine, address, process, node: inside };
    holder.life = life;
    this.lives.push(life);
    this.#byProcess.set(process.number, life);
    this.#observer?.started(life);
    inside.start();
    return life;
  }

  get living(): readonly Life[] {
    return this.lives.filter(({ process }) => !process.halted);
  }

  kill(life: Life, manner: CrashManner = "killed"): void {
    life.process.halt();
    this.network.crash(life.address, manner);
    this.#byProcess.delete(life.process.number);
    this.#observer?.ended(life);
  }

  address(machine: number): { host: string; port: number } {
    return { host: `10.0.0.${machine}`, port: 7946 };
  }

  /** Every group has `voters` voters, all of them living, and one ready leader. */
  settledWith(voters: number): boolean {
    const { living } = this;
    const map = living[0]?.node.control.map;
    if (map === null || map === undefined) return false;
    if (living.some((life) => life.node.notReadyReason() !== null)) return false;
    for (let group = 1; group <= map.shardCount; group++) {
      const leaders = living.filter((life) => life.node.groups.get(groupId(group))?.isReadyLeader === true);
      const configuration = leaders[0]?.node.groups.get(groupId(group))?.raft.configuration;
      if (leaders.length !== 1 || configuration === undefined) return false;
      if (configuration.voters.length !== voters || configuration.votersOutgoing.length > 0) return false;
      if (!configuration.voters.every((voter) => living.some((life) => life.node.nodeId === voter)))
        return false;
    }
    return true;
  }
}
