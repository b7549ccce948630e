/**
 * What the rooms above the adapters ask of the world: time, the end of a turn, datagrams, streams and a log store.
 * `net/` and `disk/` implement these on Node.js, the simulator implements them on virtual ones.
 * Nothing here mentions Node.js.
 */
import type { Address } from "../base/address.ts";
import type { GroupId, LogIndex, NodeId, Term } from "../base/ids.ts";
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
  /** Queues `bytes` for sending; the caller must not change them afterwards. No effect once closed. */
  write(bytes: Uint8Array): void;
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

/** Where a log begins: everything up to `index` lives in the state machine's snapshot. */
export interface LogBase {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

/** One group's share of a durable write. Applied atomically: base, truncation, entries and hard state together. */
export interface GroupWrite {
  readonly group: GroupId;
  /** Replaces the whole log by this base first (a snapshot was installed). */
  readonly base: LogBase | null;
  /** Contiguous. Whatever the store holds at or above `entries[0].index` is removed first. */
  readonly entries: readonly Entry[];
  readonly hardState: HardState | null;
}

/** What a store gives back for one group at start. */
export interface StoredGroup {
  readonly group: GroupId;
  readonly base: LogBase;
  readonly hardState: HardState;
  readonly entries: readonly Entry[];
}

/**
 * The durable memory of all groups of one node.
 * One call to `write` carries the appends of one turn of all groups: one synced write.
 */
export interface LogStore {
  /** Everything stored, one element per group. Called once, before any write. */
  load(): Promise<readonly StoredGroup[]>;
  /**
   * Makes `writes` durable, then calls `done` (never before it returns to a durable state; possibly before this call
   * returns when nothing has to be waited for). Calls complete in order. After an error the store accepts no more.
   */
  write(writes: readonly GroupWrite[], done: (error: Error | null) => void): void;
  /** Entries up to `base.index` are no longer needed: the group's checkpoint holds them. */
  compact(group: GroupId, base: LogBase): void;
  /** Forgets a group that was removed from this node, keeping what {@link Tombstone} says. */
  remove(group: GroupId, tombstone: Tombstone): void;
  close(): Promise<void>;
}

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
