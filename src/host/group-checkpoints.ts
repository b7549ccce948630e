/**
 * The checkpoints of one replica in durable mode. Its log may only be cut where a durable checkpoint covers what is cut
 * off; so when the log has grown, the machine is read slice by slice between turns, while it goes on applying, and given to
 * the store as a whole. One at a time.
 *
 * Invariant: `index` never passes what the store has confirmed, or was loaded from.
 */
import type { GroupId, LogIndex } from "../base/ids.ts";
import { CHECKPOINT_SLICE_BYTES } from "./group-beginning.ts";
import type { Clock, LogBase, LogStore } from "./ports.ts";
import type { SnapshotSource, StateMachine } from "./state-machine.ts";

export interface GroupCheckpointsParts {
  readonly group: GroupId;
  readonly store: LogStore;
  readonly clock: Clock;
  /** Where the replica's log begins: the store holds the machine there, or needs none. */
  readonly index: LogIndex;
}

/** What is under way. Its own token: whatever a former one still does is ignored. */
interface UnderWay {
  readonly source: SnapshotSource;
  readonly base: LogBase;
  readonly slices: Uint8Array[];
}

export class GroupCheckpoints {
  readonly #parts: GroupCheckpointsParts;
  #index: LogIndex;
  #underWay: UnderWay | null = null;

  constructor(parts: GroupCheckpointsParts) {
    this.#parts = parts;
    this.#index = parts.index;
  }

  /** The log up to here may be cut off. */
  get index(): LogIndex {
    return this.#index;
  }

  /**
   * Begins a checkpoint of `machine`, which stands at `base` now; unless one is under way. `done`: the store has it, or
   * an error.
   */
  begin(machine: StateMachine<unknown>, base: LogBase, done: (error: Error | null) => void): void {
    if (this.#underWay !== null || base.index <= this.#index) return;
    const underWay: UnderWay = { source: machine.beginSnapshot(), base, slices: [] };
    this.#underWay = underWay;
    this.#step(underWay, done);
  }

  /** The replica ended, or its machine was replaced by a snapshot at `index`, which is on its way to the store. */
  abandon(index: LogIndex = this.#index): void {
    if (index > this.#index) this.#index = index;
    this.#underWay?.source.close();
    this.#underWay = null;
  }

  #step(underWay: UnderWay, done: (error: Error | null) => void): void {
    if (this.#underWay !== underWay) return;
    const slice = underWay.source.next(CHECKPOINT_SLICE_BYTES);
    if (slice !== null) {
      underWay.slices.push(new Uint8Array(slice));
      this.#parts.clock.defer(() => this.#step(underWay, done));
      return;
    }
    underWay.source.close();
    const { group, store } = this.#parts;
    store.checkpoint(group, underWay.base, underWay.slices, (error) => {
      if (this.#underWay !== underWay) return;
      this.#underWay = null;
      if (error === null && underWay.base.index > this.#index) this.#index = underWay.base.index;
      done(error);
    });
  }
}
