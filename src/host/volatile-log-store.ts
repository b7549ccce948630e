/**
 * The log store of memory mode: the process is the medium. Raft keeps its log itself, and a node id lives exactly as
 * long as its process, so nothing that was promised can be forgotten: there is no restart under the same id.
 */
import type { GroupId } from "../base/ids.ts";
import type { GroupWrite, LogBase, LogStore, StoredGroup, Tombstone } from "./ports.ts";

export class VolatileLogStore implements LogStore {
  async load(): Promise<readonly StoredGroup[]> {
    return [];
  }

  write(_writes: readonly GroupWrite[], done: (error: Error | null) => void): void {
    done(null);
  }

  compact(_group: GroupId, _base: LogBase): void {}

  remove(_group: GroupId, _tombstone: Tombstone): void {}

  async close(): Promise<void> {}
}
