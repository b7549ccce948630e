/**
 * Tells this node of every move of any shard: that its voters have changed from one stable set to another. Who leads the
 * shard sees that committed and tells all by gossip; most nodes hold no replica and could not see it themselves.
 *
 * Each node chains what it hears of a shard by the log index of the change, so that every event begins where the last one
 * ended and none comes twice. Moves that follow each other faster than gossip spreads may be told as one.
 */
import { type GroupId, type NodeId, type ShardId, SYSTEM_GROUP, shardOfGroup } from "../base/ids.ts";
import { type ClusterMap, findMember } from "../cluster/cluster-map.ts";
import { sameSet } from "../cluster/replica-lists.ts";
import { isJoint } from "../raft/configuration.ts";
import { ByteReader } from "../wire/byte-reader.ts";
import { ByteWriter } from "../wire/byte-writer.ts";
import { readShardId } from "../wire/id-codec.ts";
import type { ClusterNode } from "./cluster-node.ts";

const KEY_PREFIX = "move/";
/** More voters than any stable configuration has. */
const VOTERS_MAX = 16;

/** The last stable voters of a shard that this node knows of, and where in the shard's log they came. */
interface StableVoters {
  readonly index: number;
  readonly voters: readonly NodeId[];
}

interface Move {
  readonly shard: ShardId;
  /** Of the map that the teller knew. */
  readonly mapVersion: number;
  readonly from: readonly NodeId[];
  readonly to: readonly NodeId[];
}

export class ShardMoves {
  readonly #node: ClusterNode;
  readonly #stable = new Map<ShardId, StableVoters>();
  /** Groups whose configuration changed here, until it is known what came of it. */
  readonly #changed = new Set<GroupId>();
  /** The first map that lists this process: what moved before is no news of its time. */
  #memberSince = Number.POSITIVE_INFINITY;
  readonly counters = { moves: 0 };

  constructor(node: ClusterNode) {
    this.#node = node;
  }

  mapChanged(map: ClusterMap): void {
    if (findMember(map, this.#node.nodeId)?.boot !== this.#node.boot) return;
    this.#memberSince = Math.min(this.#memberSince, map.version);
  }

  /** A replica here learned of a leader: before that, it knows of no configuration that a change could begin from. */
  leadershipChanged(group: GroupId): void {
    if (group !== SYSTEM_GROUP) this.#begin(group);
  }

  /** A replica here has another configuration in force, which will be committed or taken back. */
  configurationChanged(group: GroupId): void {
    if (group === SYSTEM_GROUP) return;
    this.#begin(group);
    this.#changed.add(group);
  }

  /** Tells what has been committed since. Every replica looks, for the leader that committed it may be gone. */
  look(): void {
    for (const group of this.#changed) if (this.#isSettled(group)) this.#changed.delete(group);
  }

  /** Takes in a broadcast; false when it is about something else. Throws `WireError` on damage. */
  hear(key: string, version: number, payload: Uint8Array): boolean {
    if (!key.startsWith(KEY_PREFIX)) return false;
    this.#learn(readMove(payload), version);
    return true;
  }

  /** Where the chain of a shard begins for this node, unless it has begun. */
  #begin(group: GroupId): void {
    const shard = shardOfGroup(group);
    const replica = this.#node.groups.get(group);
    if (replica === undefined || this.#stable.has(shard)) return;
    const { configuration, configurationIndex } = replica.raft.status();
    const voters = isJoint(configuration) ? configuration.votersOutgoing : configuration.voters;
    if (voters.length > 0) this.#stable.set(shard, { index: configurationIndex, voters });
  }

  /** Whether nothing is left to find out about the last change of `group`. */
  #isSettled(group: GroupId): boolean {
    const replica = this.#node.groups.get(group);
    const known = this.#stable.get(shardOfGroup(group));
    if (replica === undefined || known === undefined) return true;
    const { configuration, configurationIndex, commit } = replica.raft.status();
    if (isJoint(configuration)) return false;
    if (sameSet(known.voters, configuration.voters)) return true;
    if (!replica.isReadyLeader || commit < configurationIndex) return false;
    const move: Move = {
      shard: shardOfGroup(group),
      mapVersion: this.#node.control.map?.version ?? 0,
      from: known.voters,
      to: configuration.voters,
    };
    // A log that was compacted since tells a later index than the change had: what matters is that indexes rise.
    const index = Math.max(configurationIndex, known.index + 1);
    this.#learn(move, index);
    this.#node.gossip.broadcast(`${KEY_PREFIX}${move.shard}`, encodeMove(move), index);
    return true;
  }

  #learn({ shard, mapVersion, from: told, to }: Move, index: number): void {
    const known = this.#stable.get(shard);
    if (known !== undefined && index <= known.index) return;
    this.#stable.set(shard, { index, voters: to });
    const from = known?.voters ?? told;
    if (sameSet(from, to) || mapVersion < this.#memberSince) return;
    this.counters.moves++;
    this.#node.events.emit({ type: "shard-moved", shard, from, to });
  }
}

function encodeMove({ shard, mapVersion, from, to }: Move): Uint8Array {
  const writer = new ByteWriter(128);
  writer.varint(shard);
  writer.varint(mapVersion);
  for (const voters of [from, to]) {
    writer.varint(voters.length);
    for (const node of voters) writer.nodeId(node);
  }
  return writer.take();
}

function readMove(payload: Uint8Array): Move {
  const reader = new ByteReader(payload);
  const shard = readShardId(reader);
  const mapVersion = reader.varint();
  const from = readNodes(reader);
  return { shard, mapVersion, from, to: readNodes(reader) };
}

function readNodes(reader: ByteReader): readonly NodeId[] {
  return Array.from({ length: reader.count(8, VOTERS_MAX) }, () => reader.nodeId());
}
