/**
 * The log store of memory mode: the process is the medium. Raft keeps its log itself, and a node id lives exactly as
 * long as its process, so nothing that was promised can be forgotten: there is no restart under the same id.
 */
import type { GroupId } from "../base/ids.ts";
import type {
  Checkpoint,
  CheckpointWriter,
  GroupWrite,
  LogBase,
  LogStore,
  NodeRecord,
  StoreDone,
  StoredPast,
  Tombstone,
} from "./ports.ts";

export class VolatileLogStore implements LogStore {
  readonly durable = false;
  onStall: (reason: string | null) => void = () => {};
  onFailed: (error: Error) => void = () => {};

  async load(): Promise<StoredPast> {
    return { node: null, groups: [], tombstones: [], damaged: [] };
  }

  write(_writes: readonly GroupWrite[], done: StoreDone): void {
    done(null);
  }

  /** The machine is its own checkpoint. */
  beginCheckpoint(): CheckpointWriter {
    return { write: () => {}, finish: (done) => done(null, { discard: () => {} }), abandon: () => {} };
  }

  checkpoint(_group: GroupId, _base: LogBase, _checkpoint: Checkpoint, done: StoreDone): void {
    done(null);
  }

  remove(_group: GroupId, _tombstone: Tombstone): void {}

  saveNode(_record: NodeRecord, done: StoreDone): void {
    done(null);
  }

  counters(): Readonly<Record<string, number>> {
    return {};
  }

  async close(): Promise<void> {}
}
