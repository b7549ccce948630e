/**
 * Three machines with one shard, as the story needs them: start them, cut one off, look at all of them.
 */
import { assert } from "../../base/assert.ts";
import { type NodeId, shardId } from "../../base/ids.ts";
import type { KeyHash } from "../../placement/key-hash.ts";
import { textFromBinary } from "../../wire/binary-text.ts";
import { Fleet, type FleetLife } from "../fleet.ts";
import type { NodeState } from "./story.ts";
import { Witness } from "./witness.ts";

export const STORY_KEY = "coffee";
const SHARD = shardId(0);
const MACHINES = 3;
/** Nobody is given up in the seconds that the story lasts. */
const DEAD_GRACE_MS = 600_000;

export class DemoFleet {
  readonly fleet: Fleet;
  readonly witness = new Witness();
  #cutOff: FleetLife | null = null;

  constructor(seed: bigint, keyHash: KeyHash) {
    const nodeOptions = {
      shards: 1,
      replicationFactor: MACHINES,
      bootstrapExpect: MACHINES,
      deadGraceMs: DEAD_GRACE_MS,
    };
    this.fleet = new Fleet({ seed, keyHash, nodeOptions });
    this.fleet.observer = this.witness;
  }

  get nowMs(): number {
    return this.fleet.nowMs;
  }

  get lives(): readonly FleetLife[] {
    return this.fleet.lives;
  }

  /** Starts all machines at once, each given the addresses of all. */
  start(): void {
    for (let machine = 0; machine < MACHINES; machine++) this.fleet.addMachine();
    const seeds = this.fleet.machines.map(({ address }) => address);
    for (const machine of this.fleet.machines) this.fleet.boot(machine, seeds);
  }

  /** The one that leads and serves; of two the one in the later term. */
  get leader(): FleetLife | null {
    let found: FleetLife | null = null;
    let foundTerm = 0;
    for (const life of this.lives) {
      const group = life.node.shards.group(SHARD);
      if (group?.isReadyLeader !== true || group.raft.term <= foundTerm) continue;
      found = life;
      foundTerm = group.raft.term;
    }
    return found;
  }

  /** All nodes serve, follow the same leader, and hold and have applied the same log. */
  get settled(): boolean {
    const { leader } = this;
    const raft = leader?.node.shards.group(SHARD)?.raft;
    if (leader === null || raft === undefined) return false;
    return this.lives.every(({ node }) => {
      const replica = node.shards.group(SHARD)?.raft;
      return (
        node.notReadyReason() === null &&
        replica !== undefined &&
        replica.term === raft.term &&
        replica.leader === leader.node.nodeId &&
        replica.lastIndex === raft.lastIndex &&
        replica.applied === raft.lastIndex
      );
    });
  }

  /** Cuts the machine of `life` off from all others, in both directions. */
  cutOff(life: FleetLife): void {
    this.#cutOff = life;
    for (const other of this.lives) {
      if (other !== life) this.fleet.network.partition(life.address, other.address);
    }
  }

  heal(): void {
    this.#cutOff = null;
    this.fleet.network.heal();
  }

  states(): readonly NodeState[] {
    return this.lives.map((life) => this.stateOf(life));
  }

  stateOf(life: FleetLife): NodeState {
    const raft = life.node.shards.group(SHARD)?.raft;
    const connected = life !== this.#cutOff;
    if (raft === undefined) return { name: life.name, connected, replica: null };
    const { role, term, lastIndex, commit, applied } = raft;
    const leader = this.#nameOf(raft.leader);
    const value = this.#valueAt(life);
    return { name: life.name, connected, replica: { role, term, lastIndex, commit, applied, leader, value } };
  }

  /** Fingerprint of everything that the copy of `life` holds. */
  digestOf(life: FleetLife): string {
    const machine = life.node.shards.machine(SHARD);
    assert(machine !== undefined, "every node of the story has a copy", { node: life.name });
    return machine.cache.digest();
  }

  #nameOf(node: NodeId | null): string | null {
    return this.lives.find((life) => life.node.nodeId === node)?.name ?? null;
  }

  #valueAt(life: FleetLife): string | null {
    if (!life.node.shards.canReadLocally(SHARD)) return null;
    const value = life.node.shards.readLocal(SHARD, { type: "get", key: STORY_KEY });
    return typeof value === "string" ? textFromBinary(value) : null;
  }
}
