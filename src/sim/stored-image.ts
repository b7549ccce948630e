/**
 * What the records of a store add up to: replayed in order, they give what a node starts from. Plain bookkeeping; it checks
 * only what would make the result no log at all.
 */
import { assert } from "../base/assert.ts";
import { type GroupId, logIndex, term } from "../base/ids.ts";
import type { Checkpoint, LogBase, NodeRecord, StoredGroup, StoredPast, Tombstone } from "../host/ports.ts";
import type { Entry } from "../raft/entry.ts";
import type { HardState } from "../raft/ready.ts";
import type { GroupChange, StoreRecord } from "../wire/store-codec.ts";

interface GroupImage {
  base: LogBase;
  checkpoint: Checkpoint;
  hardState: HardState;
  entries: Entry[];
}

const NO_HARD_STATE: HardState = Object.freeze({ term: term(0), vote: null, commit: logIndex(0) });

export class StoredImage {
  #node: NodeRecord | null = null;
  readonly #groups = new Map<GroupId, GroupImage>();
  readonly #tombstones = new Map<GroupId, Tombstone>();

  replay(record: StoreRecord): void {
    switch (record.type) {
      case "turn":
        for (const change of record.changes) this.#change(change);
        return;
      case "checkpoint":
        this.#checkpoint(record.group, record.base, record.checkpoint);
        return;
      case "remove":
        this.#groups.delete(record.group);
        this.#tombstones.set(record.group, record.tombstone);
        return;
      case "node":
        this.#node = record.node;
    }
  }

  /** The fewest records that add up to the same. */
  records(): StoreRecord[] {
    const { node, groups, tombstones } = this.past();
    const records: StoreRecord[] = node === null ? [] : [{ type: "node", node }];
    for (const each of tombstones) records.push({ type: "remove", ...each });
    for (const stored of groups) records.push({ type: "turn", changes: [stored] });
    return records;
  }

  past(): StoredPast {
    const groups: StoredGroup[] = [];
    for (const [group, image] of this.#groups) groups.push({ group, ...image });
    const tombstones = [...this.#tombstones].map(([group, tombstone]) => ({ group, tombstone }));
    return { node: this.#node, groups, tombstones };
  }

  #change({ group, base, checkpoint, entries, hardState }: GroupChange): void {
    let image = this.#groups.get(group);
    if (base !== null) {
      image = { base, checkpoint, hardState: image?.hardState ?? NO_HARD_STATE, entries: [] };
      this.#groups.set(group, image);
    }
    assert(image !== undefined, "the first write of a group says where it begins", { group });
    const [first] = entries;
    if (first !== undefined) {
      const kept = first.index - image.base.index - 1;
      assert(kept >= 0 && kept <= image.entries.length, "entries follow on what is stored", { group, kept });
      image.entries.length = kept;
      for (const entry of entries) image.entries.push(entry);
    }
    if (hardState !== null) image.hardState = hardState;
  }

  #checkpoint(group: GroupId, base: LogBase, checkpoint: Checkpoint): void {
    const image = this.#groups.get(group);
    if (image === undefined || base.index <= image.base.index) return;
    const covered = base.index - image.base.index;
    assert(covered <= image.entries.length, "a checkpoint stands within the log", { group, covered });
    image.entries.splice(0, covered);
    image.base = base;
    image.checkpoint = checkpoint;
  }
}
