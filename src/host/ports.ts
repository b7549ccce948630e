/**
 * What the rooms above the adapters ask of the world: time, the end of a turn, datagrams, streams and a log store.
 * `net/` and `disk/` implement these on Node.js, the simulator implements them on virtual ones.
 * Nothing here mentions Node.js.
 */
import type { Address } from "../base/address.ts";
import type { BootNonce, ClusterId, GroupId, LogIndex, NodeId, Term } from "../base/ids.ts";
import type { Configuration } from "../raft/configuration.ts";
import type { Entry } from "../raft/entry.ts";
import type { HardState } from "../raft/ready.ts";

/** A pending timer. `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds since an arbitrary origin; fractions allowed. Never steps. */
  nowMs(): number;
  /** Wall-clock milliseconds since 1970; may step either way. Only for what people read and for absolute expiry. */
  wallMs(): number;
  /** Calls `callback` once, `delayMs` from now or later. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Calls `callback` at the end of this turn of the event loop, after the I/O that is ready now. */
  defer(callback: () => void): void;
}

/** Unreliable, unordered messages of at most ~1,400 bytes. */
export interface Datagrams {
  /** The address bound, with the real port. */
  readonly local: Address;
  /** Fire and forget. A failure to send is counted by the adapter and looks like loss. */
  send(to: Address, bytes: Uint8Array): void;
  /** Set once, before the first message can arrive. `bytes` belongs to the receiver. */
  onMessage: (from: Address, bytes: Uint8Array) => void;
  close(): Promise<void>;
}

/** One reliable, ordered byte stream. Callbacks are set by the owner right after it gets the connection. */
export interface Connection {
  readonly remote: Address;
  /**
   * Queues `bytes` for sending. No effect once closed. True: the network has taken all of them, and the caller may fill them with
   * something else; otherwise nobody may change them any more.
   */
  write(bytes: Uint8Array): boolean;
  /** Bytes accepted by `write` and not yet handed to the network. */
  readonly bufferedBytes: number;
  /** Called for an outgoing connection once it is usable. Never called for an incoming one. */
  onOpen: () => void;
  /** `bytes` may be a view of a reused or shared buffer: copy what must outlive the call. */
  onData: (bytes: Uint8Array) => void;
  /** `bufferedBytes` fell to zero after having been above it. */
  onDrain: () => void;
  /** Called exactly once, whoever closed; `error` tells why when it was not in order. */
  onClose: (error: Error | null) => void;
  /** Sends what is buffered, then closes. Idempotent. */
  end(): void;
  /** Closes at once, dropping what is buffered. Idempotent. */
  destroy(): void;
}

export interface Streams {
  /** The address bound, with the real port. */
  readonly local: Address;
  /** Dials `to`; the connection reports `onOpen`, or `onClose` with the reason. Never throws. */
  connect(to: Address, timeoutMs: number): Connection;
  /** Set once, before the first connection can arrive. */
  onConnection: (connection: Connection) => void;
  close(): Promise<void>;
}

/** Resolves configured seeds, which may be names, to addresses. Asked again for every attempt. */
export interface Resolver {
  /** All addresses behind `seed` (A, AAAA, SRV); an empty list when the name does not resolve now. */
  resolve(seed: Address): Promise<readonly Address[]>;
}

/** Where a log begins: everything up to `index` lives in the state machine's checkpoint. */
export interface LogBase {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

/** A state machine at one log index, which a store holds already and durably, though it belongs to nothing yet. */
export interface KeptCheckpoint {
  /** It is of no use after all. Idempotent; never after it was given to a write that succeeded. */
  discard(): void;
}

/**
 * What a store is given of a state machine at one log index: the slices of its snapshot, in order, where they are few; or what a
 * {@link CheckpointWriter} has kept. null: the machine as it is made.
 */
export type Checkpoint = readonly Uint8Array[] | KeptCheckpoint | null;

/** Takes the snapshot of a machine slice by slice, so that nobody holds all of it. */
export interface CheckpointWriter {
  /**
   * Takes the next slice, which must not change afterwards. A promise: it would rather have no further one before that is
   * kept. Rejects when the disk takes no more; then only `abandon` is left.
   */
  write(slice: Uint8Array): void | Promise<void>;
  /** Everything was written. `kept` is durable, and null with an error. Called once, not after `abandon`. */
  finish(done: (error: Error | null, kept: KeptCheckpoint | null) => void): void;
  /** Lets go of what was written. Idempotent. */
  abandon(): void;
}

/** One group's share of a durable write. Applied atomically: base, checkpoint, truncation, entries and hard state. */
export interface GroupWrite {
  readonly group: GroupId;
  /** Replaces the whole log, and the checkpoint, first: the group begins here, or a snapshot was installed. */
  readonly base: LogBase | null;
  /** The machine at `base`; looked at only when there is a base. */
  readonly checkpoint: Checkpoint;
  /** Contiguous. Whatever the store holds at or above `entries[0].index` is removed first. */
  readonly entries: readonly Entry[];
  readonly hardState: HardState | null;
}

/** What a store gives back for one group at start. */
export interface StoredGroup {
  readonly group: GroupId;
  readonly base: LogBase;
  /** The slices of the machine at `base`, read when they are asked for, and once. null: the machine as it is made. */
  readonly checkpoint: Iterable<Uint8Array> | null;
  readonly hardState: HardState;
  readonly entries: readonly Entry[];
}

/** What stays of a group that was removed from this node, whether or not it came back since. */
export interface StoredTombstone {
  readonly group: GroupId;
  readonly tombstone: Tombstone;
}

/**
 * A group of which the store lost data that was confirmed, though not what its replica had promised: that stays in force by the
 * tombstone, and a leader can fill the group again.
 */
export interface DamagedGroup extends StoredTombstone {
  /** What is damaged: file, record, index. For people. */
  readonly what: string;
}

/** What a node must not forget about itself. `map` and `founding` are the control plane's bytes. */
export interface NodeRecord {
  readonly nodeId: NodeId;
  /** Boot nonces of the lives under this id, the newest last; only the newest few. */
  readonly boots: readonly BootNonce[];
  /** The one cluster that this id can ever belong to; null before. */
  readonly clusterId: ClusterId | null;
  /** The newest cluster map known. May be behind: it is where to begin to ask. */
  readonly map: Uint8Array | null;
  /** What was promised and accepted in the founding of a cluster. */
  readonly founding: Uint8Array | null;
}

/** Everything a store holds. Nothing but null and empty lists on a fresh disk. */
export interface StoredPast {
  readonly node: NodeRecord | null;
  readonly groups: readonly StoredGroup[];
  readonly tombstones: readonly StoredTombstone[];
  readonly damaged: readonly DamagedGroup[];
}

/**
 * The durable memory of one node. Everything given to it is one sequence: it becomes durable, and is confirmed, in the order
 * of the calls, and what a crash leaves is always the result of the first so many of them, never a later one without
 * an earlier. `done` is called once, perhaps before the call returns when nothing has to be waited for, and never after
 * a crash. After an error the store takes no more: everything later is answered with an error, and changes nothing.
 * A full disk is no error: what does not fit waits, in its order, until there is space. @see LogStore.onStall
 */
export interface LogStore {
  /** What is written outlives the process. When false, nothing needs to be written that is not written anyway. */
  readonly durable: boolean;
  /**
   * Everything stored. Called once, before anything is written, and before there is a node.
   * Rejects with CREMA_STORE_DAMAGED when what was confirmed cannot be read back: this disk must not vote any more.
   */
  load(): Promise<StoredPast>;
  /** Makes `writes` durable: the appends of one turn of all groups, one synced write, applied as a whole or not at all. */
  write(writes: readonly GroupWrite[], done: StoreDone): void;
  /** Begins a checkpoint of `group` for a later `write` or `checkpoint`. Only in durable mode. */
  beginCheckpoint(group: GroupId): CheckpointWriter;
  /**
   * Keeps `checkpoint` of the machine at `base`, an index within the stored log; a store may keep older ones too, with the log
   * behind them, and drops the rest. Ignored when the stored base is further. Only in durable mode.
   */
  checkpoint(group: GroupId, base: LogBase, checkpoint: Checkpoint, done: StoreDone): void;
  /** Forgets a group that was removed from this node, keeping what {@link Tombstone} says. */
  remove(group: GroupId, tombstone: Tombstone): void;
  /** Replaces what is remembered of the node itself. */
  saveNode(record: NodeRecord, done: StoreDone): void;
  /**
   * Set by the owner; told at once when it is so already. Called with a reason, for people, when the disk is full or nearly so: this node should not be the one
   * that others write through. Called with null when there is space again.
   */
  set onStall(listener: (reason: string | null) => void);
  /** Set by the owner; called once, when the store takes no more, whatever it was that failed: also what nobody waits for. */
  set onFailed(listener: (error: Error) => void);
  /** Counters of the adapter's own, for metrics: camelCase names with their unit. */
  counters(): Readonly<Record<string, number>>;
  /** Waits for what is under way, but not for a disk that is full. Idempotent. */
  close(): Promise<void>;
}

/** null: durable now, with all that was given before. */
export type StoreDone = (error: Error | null) => void;

/**
 * What a node remembers of a replica it destroyed, so that the same node, when it is given the group again with an empty
 * log, never votes as if it had not seen what it had acknowledged.
 */
export interface Tombstone {
  readonly term: Term;
  readonly vote: NodeId | null;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}
