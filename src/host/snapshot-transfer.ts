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
import type { Bulk } from "./links/bulk.ts";
import type { BulkSink } from "./links/bulk-stream.ts";
import type { MultiRaft } from "./multi-raft.ts";
import { SliceCutter, SliceJoiner } from "./slice-stream.ts";
import type { SnapshotSink, StateMachine } from "./state-machine.ts";

export interface SnapshotTransferParts {
  readonly groups: MultiRaft;
  readonly bulk: Bulk;
  /** Where `node` listens; null when it is no peer. */
  readonly addressOf: (node: NodeId) => Address | null;
  /** The machine of `group`, opening the group first when the sender may fill it; null refuses. */
  readonly admit: (group: GroupId, from: NodeId) => StateMachine<unknown> | null;
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
    const machine = this.#parts.admit(group, from);
    if (machine === null) {
      return new CremaError("CREMA_NOT_READY", `group ${group} takes no snapshot from ${from} here`, {
        retryable: true,
      });
    }
    const restore: SnapshotSink = machine.beginRestore();
    const slices: Uint8Array[] | null = this.#parts.groups.durable ? [] : null;
    const joiner = new SliceJoiner((slice) => {
      restore.write(slice);
      slices?.push(slice);
    });
    return {
      write: (piece) => joiner.write(piece),
      finish: () => {
        // A stream may have waited long for a connection. What it fills must be the machine that is installed into, or
        // the replica that has taken its place would count as filled and be empty.
        if (this.#parts.groups.get(group)?.machine !== machine) {
          throw new CremaError("CREMA_NOT_READY", `group ${group} was replaced here meanwhile`, {
            retryable: true,
          });
        }
        joiner.finish();
        restore.finish();
        this.counters.received++;
        this.#parts.groups.installSnapshot(group, from, leaderTerm, metadata, restore, slices);
        return null;
      },
      abort: () => {},
    };
  }
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
