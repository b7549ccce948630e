/**
 * A leader proposes who shall belong to the group. One change at a time: the next one waits until the last one is
 * committed, and until this leader has committed an entry of its own term. Without the second rule two leaders
 * could each commit a change of their own to the same old configuration, and their majorities need not meet.
 * @see Raft §6; Ongaro, "bug in single-server membership changes", raft-dev 2015
 */
import { logIndex } from "../base/ids.ts";
import { changeConfiguration, type MembershipChange } from "./configuration-change.ts";
import type { Leading } from "./leading.ts";
import type { MembershipResult } from "./outcomes.ts";
import { appendConfiguration } from "./replication.ts";
import type { RaftState } from "./state.ts";

/** Appends the configuration that `change` makes, or says why not. */
export function proposeConfiguration(
  state: RaftState,
  leading: Leading,
  change: MembershipChange,
): MembershipResult {
  const reason = obstacle(state, leading);
  if (reason !== null) return { type: "refused", reason };
  const changed = changeConfiguration(state.configuration, change);
  if (changed.type === "refused") return changed;
  const { term } = state;
  const index = logIndex(state.log.lastIndex + 1);
  const { configuration } = changed;
  appendConfiguration(state, leading, { kind: "membership", index, term, configuration });
  return { type: "proposed", term, index };
}

function obstacle(state: RaftState, leading: Leading): string | null {
  if (leading.transfer !== null) return "leadership is being handed over";
  if (state.commit < leading.termStart) return "the leader has not committed an entry of its term yet";
  if (state.configurations.currentIndex > state.commit) return "an earlier change is not committed yet";
  return null;
}
