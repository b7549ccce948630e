/**
 * Where in the sequence of records everything lies that is still needed: of every group its checkpoints, its term and vote, and
 * the entries behind the oldest checkpoint. Kept in memory from record headers alone, while writing as while reading.
 *
 * Invariant: replaying the records from `liveFrom`, or from any earlier one, gives the same as replaying all there ever
 * were. So whatever lies before `liveFrom` may be dropped, at any time and by any part of it from the front.
 */
import { type GroupId, type LogIndex, logIndex, type Term, term } from "../base/ids.ts";
import type { HardState } from "../raft/ready.ts";
import type { Tombstone } from "../raft/tombstone.ts";
import type { LogPosition, SectionHeader } from "./store-record.ts";

/** Entries `first` .. `last` of a group, which the record `at` holds. */
export interface Segment {
  readonly at: number;
  readonly first: LogIndex;
  readonly last: LogIndex;
  /** Term of the last entry that the record holds of this group. */
  readonly lastTerm: Term;
  readonly bytes: number;
}

/** A checkpoint, and the record that names it. */
export interface CheckpointAt {
  readonly at: number;
  readonly base: LogPosition;
}

export interface IndexedGroup {
  /** Oldest first. Empty: the record with which the group began is not among those that were read. */
  readonly checkpoints: readonly CheckpointAt[];
  readonly hardState: HardState;
  /** The record that holds it; 0: none that was read. */
  readonly hardStateAt: number;
  /** Ascending. Contiguous from the oldest checkpoint on, unless records are missing. */
  readonly segments: readonly Segment[];
}

interface GroupState {
  checkpoints: CheckpointAt[];
  hardState: HardState;
  hardStateAt: number;
  segments: Segment[];
}

/** Whose records lie furthest back. */
export type Holder =
  | { readonly type: "node" }
  | { readonly type: "tombstone"; readonly group: GroupId }
  | { readonly type: "group"; readonly group: GroupId };

const NO_HARD_STATE: HardState = Object.freeze({ term: term(0), vote: null, commit: logIndex(0) });

export class StoreIndex {
  readonly #checkpointsKept: number;
  readonly #groups = new Map<GroupId, GroupState>();
  readonly #tombstones = new Map<GroupId, { readonly at: number; readonly tombstone: Tombstone }>();
  #nodeAt = 0;
  #firstSequence = 1;
  /** Bytes of the records from `firstSequence` on. */
  #recordBytes: number[] = [];
  #totalBytes = 0;

  /** `checkpointsKept`: of every group so many, with the log behind the oldest of them. >= 1 */
  constructor(checkpointsKept: number) {
    this.#checkpointsKept = checkpointsKept;
  }

  /** 0: nothing was ever written. */
  get lastSequence(): number {
    return this.#firstSequence + this.#recordBytes.length - 1;
  }

  get firstSequence(): number {
    return this.#firstSequence;
  }

  /** Bytes of all records that were not dropped. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Bytes of the sections that hold entries still needed, about. */
  get liveBytes(): number {
    let bytes = 0;
    for (const { segments } of this.#groups.values()) for (const segment of segments) bytes += segment.bytes;
    return bytes;
  }

  /** The record that holds the node's own; 0 without one. */
  get nodeAt(): number {
    return this.#nodeAt;
  }

  get groups(): ReadonlyMap<GroupId, IndexedGroup> {
    return this.#groups;
  }

  tombstoneOf(group: GroupId): Tombstone | null {
    return this.#tombstones.get(group)?.tombstone ?? null;
  }

  tombstones(): { readonly group: GroupId; readonly tombstone: Tombstone }[] {
    return [...this.#tombstones].map(([group, { tombstone }]) => ({ group, tombstone }));
  }

  /** Takes in the next record; the first one says where the sequence begins. */
  note(
    sequence: number,
    recordBytes: number,
    sections: readonly { readonly header: SectionHeader; readonly bytes: number }[],
  ): void {
    if (this.#recordBytes.length === 0) this.#firstSequence = sequence;
    this.#recordBytes.push(recordBytes);
    this.#totalBytes += recordBytes;
    for (const { header, bytes } of sections) this.#noteSection(sequence, header, bytes);
  }

  /** The first record that is still needed; the next one to come when none is. */
  liveFrom(): number {
    let from = this.lastSequence + 1;
    if (this.#nodeAt > 0) from = this.#nodeAt;
    for (const { at } of this.#tombstones.values()) from = Math.min(from, at);
    for (const group of this.#groups.values()) from = Math.min(from, firstOf(group));
    return from;
  }

  /** Who needs records before `sequence`. */
  holdersBefore(sequence: number): Holder[] {
    const holders: Holder[] = [];
    if (this.#nodeAt > 0 && this.#nodeAt < sequence) holders.push({ type: "node" });
    for (const [group, { at }] of this.#tombstones)
      if (at < sequence) holders.push({ type: "tombstone", group });
    for (const [group, state] of this.#groups)
      if (firstOf(state) < sequence) holders.push({ type: "group", group });
    return holders;
  }

  /** The records before `sequence` are gone. */
  dropped(sequence: number): void {
    const count = Math.min(sequence - this.#firstSequence, this.#recordBytes.length);
    for (const bytes of this.#recordBytes.splice(0, count)) this.#totalBytes -= bytes;
    this.#firstSequence = sequence;
  }

  /** Bytes of the records before `sequence`. */
  bytesBefore(sequence: number): number {
    let bytes = 0;
    const count = Math.min(sequence - this.#firstSequence, this.#recordBytes.length);
    for (let at = 0; at < count; at++) bytes += this.#recordBytes[at] as number;
    return bytes;
  }

  /** The record in which the oldest of the newest `bytes` bytes lie. */
  sequenceBehind(bytes: number): number {
    let left = bytes;
    let sequence = this.lastSequence + 1;
    for (let at = this.#recordBytes.length - 1; at >= 0 && left > 0; at--) {
      left -= this.#recordBytes[at] as number;
      sequence--;
    }
    return sequence;
  }

  #noteSection(at: number, header: SectionHeader, bytes: number): void {
    switch (header.type) {
      case "node":
        this.#nodeAt = at;
        return;
      case "remove":
        this.#groups.delete(header.group);
        this.#tombstones.set(header.group, { at, tombstone: header.tombstone });
        return;
      case "checkpoint":
        this.#noteCheckpoint(this.#groupOf(header.group), at, header.base);
        return;
      case "group":
        this.#noteGroup(this.#groupOf(header.group), at, header, bytes);
    }
  }

  #groupOf(group: GroupId): GroupState {
    let state = this.#groups.get(group);
    if (state === undefined) {
      state = { checkpoints: [], hardState: NO_HARD_STATE, hardStateAt: 0, segments: [] };
      this.#groups.set(group, state);
    }
    return state;
  }

  #noteGroup(
    state: GroupState,
    at: number,
    header: Extract<SectionHeader, { type: "group" }>,
    bytes: number,
  ): void {
    const { base, hardState, entries, first, lastTerm } = header;
    if (base !== null) {
      state.checkpoints = [{ at, base }];
      state.segments = [];
    }
    if (hardState !== null) {
      state.hardState = hardState;
      state.hardStateAt = at;
    }
    if (entries === 0) return;
    truncate(state.segments, first);
    state.segments.push({ at, first, last: logIndex(first + entries - 1), lastTerm, bytes });
  }

  #noteCheckpoint(state: GroupState, at: number, base: LogPosition): void {
    const newest = state.checkpoints.at(-1);
    // Without an older one, what lay before it has been dropped: it is where the group begins.
    if (newest !== undefined && base.index <= newest.base.index) return;
    state.checkpoints.push({ at, base });
    while (state.checkpoints.length > this.#checkpointsKept) state.checkpoints.shift();
    const oldest = state.checkpoints[0] as CheckpointAt;
    const covered = state.segments.findIndex(({ last }) => last > oldest.base.index);
    state.segments.splice(0, covered === -1 ? state.segments.length : covered);
  }
}

/** Where the log of a group ends, as voters compare logs. */
export function endOfLog({ segments, checkpoints }: IndexedGroup): LogPosition {
  const segment = segments.at(-1);
  if (segment !== undefined) return { index: segment.last, term: segment.lastTerm };
  return checkpoints.at(-1)?.base ?? { index: logIndex(0), term: term(0) };
}

function firstOf({ checkpoints, segments, hardStateAt }: GroupState): number {
  let first = Number.POSITIVE_INFINITY;
  if (hardStateAt > 0) first = hardStateAt;
  for (const { at } of checkpoints) first = Math.min(first, at);
  for (const { at } of segments) first = Math.min(first, at);
  return first;
}

/** Entries at and above `first` are replaced. */
function truncate(segments: Segment[], first: LogIndex): void {
  for (let last = segments.at(-1); last !== undefined && last.last >= first; last = segments.at(-1)) {
    segments.pop();
    if (last.first < first) segments.push({ ...last, last: logIndex(first - 1) });
  }
}
