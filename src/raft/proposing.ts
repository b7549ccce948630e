/**
 * Taking commands into the leader's log.
 */
import { logIndex } from "../base/ids.ts";
import type { Leading } from "./leading.ts";
import { ENTRY_OVERHEAD_BYTES } from "./log.ts";
import type { ProposeResult } from "./outcomes.ts";
import { appendToLeader } from "./replication.ts";
import type { RaftState } from "./state.ts";

/**
 * Appends one entry per item, all or none. Whoever proposes more than the followers can swallow is told to wait,
 * except that with nothing uncommitted anything is taken: else a proposal larger than the limit could never be
 * made.
 */
export function proposeData(state: RaftState, leading: Leading, items: readonly Uint8Array[]): ProposeResult {
  if (items.length === 0) throw new RangeError("propose takes at least one item");
  if (leading.transfer !== null) return { type: "transferring" };
  const { log, term } = state;
  const uncommittedBytes = log.bytesBetween(state.commit, log.lastIndex);
  if (uncommittedBytes > 0) {
    let bytes = uncommittedBytes;
    for (const item of items) bytes += ENTRY_OVERHEAD_BYTES + item.length;
    if (bytes > state.options.uncommittedBytesMax) return { type: "busy" };
  }
  const firstIndex = logIndex(log.lastIndex + 1);
  let index = firstIndex;
  for (const data of items) {
    appendToLeader(state, leading, { kind: "data", index, term, data });
    index = logIndex(index + 1);
  }
  return { type: "proposed", term, firstIndex };
}
