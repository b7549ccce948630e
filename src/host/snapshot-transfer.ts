/**
 * Snapshots between replicas: the leader's machine is read slice by slice while it goes on applying, the follower builds
 * a new state beside its old one and swaps it in when the core accepts it.
 *
 * The snapshot stands at the sender's applied index at the moment it begins; the log behind that index is kept until
 * the transfer ends, so that the follower can go on from there.
 */

import type { Address } from "../base/address.ts";
import { CremaError } from "../base/errors.ts";
import { type GroupId, groupId, logIndex, type NodeId, nodeId, term } from "../base/ids.ts";
import type { Configuration } from "../raft/configuration.ts";
import type { SnapshotMetadata } from "../raft/messages.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Background } from "./background.ts";
import type { Bulk } from "./links/bulk.ts";
import type { BulkSink } from "./links/bulk-stream.ts";
import type { MultiRaft } from "./multi-raft.ts";
import type { CheckpointWriter, KeptCheckpoint } from "./ports.ts";
import type { RaftGroup } from "./raft-group.ts";
import { SliceCutter, SliceJoiner } from "./slice-stream.ts";
import type { SnapshotSink } from "./state-machine.ts";

export interface SnapshotTransferParts {
  readonly groups: MultiRaft;
  readonly bulk: Bulk;
  readonly background: Background;
  /** Where `node` listens; null when it is no peer. */
  readonly addressOf: (node: NodeId) => Address | null;
  /** The replica of `group`, opening the group first when the sender may fill it; null refuses. */
  readonly admit: (group: GroupId, from: NodeId) => RaftGroup<unknown> | null;
  /** Told about transfers that failed, for the log; they are tried again by raft. */
  readonly onFailed: (group: GroupId, node: NodeId, error: unknown) => void;
}

export class SnapshotTransfer {
  readonly #parts: SnapshotTransferParts;
  /** `group/node` of the transfers under way from here. */
  readonly #sending = new Set<string>();
  readonly counters = { started: 0, sent: 0, received: 0, failed: 0 };

  constructor(parts: SnapshotTransferParts) {
    this.#parts = parts;
    parts.bulk.onIncoming = (header, from) => this.#incoming(header, from.node);
  }

  /** Sends `node` the present state of `group`, unless that is under way. */
  send(group: GroupId, node: NodeId): void {
    const key = `${group}/${node}`;
    const { groups, bulk } = this.#parts;
    const replica = groups.get(group);
    const address = this.#parts.addressOf(node);
    if (replica === undefined || address === null || this.#sending.has(key)) return;
    this.#sending.add(key);
    this.counters.started++;
    const metadata = replica.raft.snapshotMetadata(replica.raft.applied);
    const leaderTerm = replica.raft.term;
    const source = replica.machine.beginSnapshot();
    groups.snapshotStarted(group, node, metadata);
    bulk
      .send(node, address, encodeHeader(group, leaderTerm, metadata), new SliceCutter(source))
      .then(
        () => {
          this.counters.sent++;
          groups.snapshotFinished(group, node, true, metadata.index);
        },
        (error: unknown) => {
          this.counters.failed++;
          groups.snapshotFinished(group, node, false, metadata.index);
          this.#parts.onFailed(group, node, error);
        },
      )
      .finally(() => {
        source.close();
        this.#sending.delete(key);
      });
  }

  #incoming(header: unknown, from: NodeId): BulkSink | CremaError {
    const { group, leaderTerm, metadata } = decodeHeader(header);
    const replica = this.#parts.admit(group, from);
    if (replica === null) {
      return new CremaError("CREMA_NOT_READY", `group ${group} takes no snapshot from ${from} here`, {
        retryable: true,
      });
    }
    const restore: SnapshotSink = replica.machine.beginRestore();
    const writer = this.#parts.groups.keepSnapshot(group);
    let aborted = false;
    const arrived: Promise<void>[] = [];
    const joiner = new SliceJoiner((slice) => {
      const taken = this.#inBackground(() => {
        if (aborted) return;
        restore.write(slice);
        // What is kept must not change; the slice is filled again.
        const kept = writer?.write(new Uint8Array(slice));
        joiner.giveBack(slice);
        return kept;
      });
      arrived.push(taken);
    });
    return {
      write: (piece) => {
        joiner.write(piece);
        return arrived.length === 0 ? undefined : Promise.all(arrived.splice(0)).then(() => {});
      },
      finish: async () => {
        joiner.finish();
        restore.finish();
        const kept = writer === null ? null : await finished(writer);
        if (!this.#parts.groups.installSnapshot(replica, from, leaderTerm, metadata, restore, kept))
          throw new CremaError("CREMA_NOT_READY", `the replica of group ${group} has gone meanwhile`, {
            retryable: true,
          });
        this.counters.received++;
        return null;
      },
      abort: () => {
        aborted = true;
        writer?.abandon();
      },
    };
  }

  /** Does `work` as a step in the background. */
  #inBackground(work: () => void | Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#parts.background.queue(() => {
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}

/** What the store keeps of a snapshot, once that is durable. */
function finished(writer: CheckpointWriter): Promise<KeptCheckpoint> {
  return new Promise((resolve, reject) => {
    writer.finish((error, kept) => {
      if (kept === null) reject(error);
      else resolve(kept);
    });
  });
}

type Header = readonly [
  group: number,
  leaderTerm: number,
  index: number,
  term: number,
  configuration: Configuration,
];

function encodeHeader(group: GroupId, leaderTerm: number, at: SnapshotMetadata): Header {
  return [group, leaderTerm, at.index, at.term, at.configuration];
}

/** Throws `WireError` or `InvariantError` when the header is not what `encodeHeader` makes. */
function decodeHeader(header: unknown): { group: GroupId; leaderTerm: number; metadata: SnapshotMetadata } {
  if (!Array.isArray(header) || header.length !== 5)
    throw new WireError("a snapshot header has five fields", 0);
  const [group, leaderTerm, index, at, configuration] = header as [
    number,
    number,
    number,
    number,
    Configuration,
  ];
  const ids = (list: readonly string[]): NodeId[] => list.map((id) => nodeId(id));
  return {
    group: groupId(group),
    leaderTerm: term(leaderTerm),
    metadata: {
      index: logIndex(index),
      term: term(at),
      configuration: {
        voters: ids(configuration.voters),
        votersOutgoing: ids(configuration.votersOutgoing),
        learners: ids(configuration.learners),
        learnersNext: ids(configuration.learnersNext),
        autoLeave: configuration.autoLeave === true,
      },
    },
  };
}
