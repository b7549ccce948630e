/**
 * Reads a store from its records: what was confirmed, or where exactly it is damaged. A group whose data is damaged costs
 * this node that group's data: term, vote and the end of its log are in the headers, and become its tombstone. Anything
 * that might have been a promise nobody remembers is an error: such a store must not vote any more.
 */
import { CremaError } from "../base/errors.ts";
import type { GroupId } from "../base/ids.ts";
import type { Entry } from "../raft/entry.ts";
import type { SnapshotMetadata } from "../raft/messages.ts";
import type { HardState } from "../raft/ready.ts";
import { startingVote, type Tombstone } from "../raft/tombstone.ts";
import { type CheckpointAt, endOfLog, type IndexedGroup, StoreIndex } from "./store-index.ts";
import {
  decodeStoreRecord,
  type GroupChange,
  type NodeChange,
  type Section,
  type StoredMachine,
  type StoreRecord,
} from "./store-record.ts";
import { WireError } from "./wire-error.ts";

export interface ReplayedGroup {
  readonly group: GroupId;
  readonly base: SnapshotMetadata;
  readonly machine: StoredMachine;
  readonly hardState: HardState;
  readonly entries: readonly Entry[];
}

/** A group that cannot be opened from here. */
export interface ReplayDamage {
  readonly group: GroupId;
  /** What is wrong and where, for people. */
  readonly what: string;
  /** What the lost replica owes. */
  readonly tombstone: Tombstone;
}

/** A group that opens from an older checkpoint, because the newest is of no use. */
export interface ReplayFallback {
  readonly group: GroupId;
  readonly what: string;
}

export interface Replayed {
  readonly node: NodeChange | null;
  readonly groups: readonly ReplayedGroup[];
  readonly tombstones: readonly { readonly group: GroupId; readonly tombstone: Tombstone }[];
  readonly damaged: readonly ReplayDamage[];
  readonly fallbacks: readonly ReplayFallback[];
  /** All checkpoints that are kept and can be told, used or not. */
  readonly checkpoints: readonly {
    readonly group: GroupId;
    readonly index: number;
    readonly machine: StoredMachine;
  }[];
}

/** Why `machine` cannot be used; null when it can. */
export type MachineCheck = (machine: StoredMachine) => string | null;

export class StoreReplay {
  readonly index: StoreIndex;
  readonly #records = new Map<number, StoreRecord>();

  constructor(checkpointsKept: number) {
    this.index = new StoreIndex(checkpointsKept);
  }

  /** The next record. Throws CREMA_STORE_DAMAGED when it cannot be told whom it concerned, or when one before it is missing. */
  add(bytes: Uint8Array): void {
    const due = this.#records.size === 0 ? null : this.index.lastSequence + 1;
    const record = this.#decode(bytes, due);
    if (due !== null && record.sequence !== due)
      throw damaged(`record ${due} is missing: the next one there is ${record.sequence}`);
    this.#records.set(record.sequence, record);
    this.index.note(record.sequence, bytes.length, record.sections);
  }

  /** `check` is asked about the checkpoints that would be used. Throws CREMA_STORE_DAMAGED. */
  finish(check: MachineCheck): Replayed {
    const groups: ReplayedGroup[] = [];
    const damagedGroups: ReplayDamage[] = [];
    const fallbacks: ReplayFallback[] = [];
    for (const [group, indexed] of this.index.groups) {
      const opened = this.#open(group, indexed, check);
      if (typeof opened === "string") {
        damagedGroups.push({ group, what: opened, tombstone: this.#owed(group, indexed) });
        continue;
      }
      groups.push(opened.replayed);
      if (opened.fallback !== null) fallbacks.push({ group, what: opened.fallback });
    }
    return {
      node: this.#node(),
      groups,
      tombstones: this.index.tombstones(),
      damaged: damagedGroups,
      fallbacks,
      checkpoints: this.#checkpoints(),
    };
  }

  #decode(bytes: Uint8Array, due: number | null): StoreRecord {
    try {
      return decodeStoreRecord(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw damaged(`record ${due ?? "at the beginning"}: ${error.message}`);
    }
  }

  #node(): NodeChange | null {
    const at = this.index.nodeAt;
    if (at === 0) {
      // Records are dropped from the front only when the node's own stands further behind.
      if (this.index.firstSequence === 1) return null;
      throw damaged("what the node remembers of itself is missing");
    }
    const section = this.#section(at, ({ header }) => header.type === "node");
    const change = section.damaged ? null : section.read();
    if (change?.type !== "node") throw damaged(`record ${at}: what the node remembers of itself`);
    return change;
  }

  /** The newest usable checkpoint with the log behind it; or, in words, why there is none. */
  #open(
    group: GroupId,
    indexed: IndexedGroup,
    check: MachineCheck,
  ): { readonly replayed: ReplayedGroup; readonly fallback: string | null } | string {
    const wrong: string[] = [];
    for (const checkpoint of [...indexed.checkpoints].reverse()) {
      const found = this.#checkpoint(group, checkpoint, check);
      if (typeof found === "string") {
        wrong.push(found);
        continue;
      }
      const entries = this.#entries(group, indexed, found.base.index);
      if (typeof entries === "string") return [...wrong, entries].join("; ");
      const { base, machine } = found;
      const replayed = { group, base, machine, hardState: indexed.hardState, entries };
      return { replayed, fallback: wrong.length === 0 ? null : wrong.join("; ") };
    }
    return wrong.length === 0 ? "the record with which it began is missing" : wrong.join("; ");
  }

  #checkpoints(): Replayed["checkpoints"] {
    const found: { group: GroupId; index: number; machine: StoredMachine }[] = [];
    for (const [group, { checkpoints }] of this.index.groups)
      for (const checkpoint of checkpoints) {
        const opened = this.#checkpoint(group, checkpoint, () => null);
        if (typeof opened !== "string")
          found.push({ group, index: opened.base.index, machine: opened.machine });
      }
    return found;
  }

  #checkpoint(
    group: GroupId,
    { at, base }: CheckpointAt,
    check: MachineCheck,
  ): { readonly base: SnapshotMetadata; readonly machine: StoredMachine } | string {
    const where = `record ${at}: the checkpoint at index ${base.index}`;
    const section = this.#section(
      at,
      ({ header }) =>
        "group" in header && header.group === group && "base" in header && header.base?.index === base.index,
    );
    if (section.damaged) return `${where} is damaged`;
    const change = section.read();
    if ((change.type !== "group" && change.type !== "checkpoint") || change.base === null)
      return `${where} is no checkpoint`;
    const reason = check(change.machine);
    return reason === null ? { base: change.base, machine: change.machine } : `${where}: ${reason}`;
  }

  /** The entries behind `base`, each from the record that wrote it last. */
  #entries(group: GroupId, { segments }: IndexedGroup, base: number): Entry[] | string {
    const entries: Entry[] = [];
    let next = base + 1;
    for (const segment of segments) {
      if (segment.last < next) continue;
      if (segment.first > next) return `index ${next} is missing before record ${segment.at}`;
      const section = this.#section(segment.at, ({ header }) => isGroup(header, group, segment.first));
      if (section.damaged) return `record ${segment.at}: entries ${next} to ${segment.last} are damaged`;
      const change = section.read() as GroupChange;
      for (const entry of change.entries)
        if (entry.index >= next && entry.index <= segment.last) entries.push(entry);
      next = segment.last + 1;
    }
    return entries;
  }

  #section(at: number, wanted: (section: Section) => boolean): Section {
    const section = this.#records.get(at)?.sections.find(wanted);
    if (section === undefined)
      throw new CremaError("CREMA_INTERNAL", `record ${at} does not hold its section`);
    return section;
  }

  /** Term and vote are those of the newest header that had them; the log ended where headers say. */
  #owed(group: GroupId, indexed: IndexedGroup): Tombstone {
    const end = endOfLog(indexed);
    const before = this.index.tombstoneOf(group);
    const further =
      before !== null &&
      (before.lastTerm > end.term || (before.lastTerm === end.term && before.lastIndex > end.index));
    const last = further ? { lastIndex: before.lastIndex, lastTerm: before.lastTerm } : null;
    if (indexed.hardStateAt === 0) throw damaged(`group ${group}: its term and vote are missing`);
    const { term, vote } = startingVote(indexed.hardState, before);
    return { term, vote, lastIndex: last?.lastIndex ?? end.index, lastTerm: last?.lastTerm ?? end.term };
  }
}

function isGroup(header: Section["header"], group: GroupId, first: number): boolean {
  return header.type === "group" && header.group === group && header.entries > 0 && header.first === first;
}

function damaged(what: string): CremaError {
  return new CremaError("CREMA_STORE_DAMAGED", what);
}
