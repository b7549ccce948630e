/**
 * An ear for whoever watches a node from inside, told of everything that decides safety at the moment it happens: the
 * checkers of the simulator listen here. In production nobody does, and it costs one look at an absent listener per
 * turn and entry. A probe hears and records. It never answers, never changes anything, and must not throw: the host would
 * take that for a broken invariant of the group.
 */
import type { GroupId } from "../base/ids.ts";
import type { Entry } from "../raft/entry.ts";
import type { Ready } from "../raft/ready.ts";
import type { Tombstone } from "./ports.ts";
import type { RaftGroup } from "./raft-group.ts";

export interface HostProbe {
  /** A replica began on this node, empty, founding or from the store. */
  opened(group: RaftGroup<unknown>): void;
  /** What the core handed out, before anything of it is done. */
  ready(group: RaftGroup<unknown>, ready: Ready): void;
  /** `entry` has been applied to the machine of `group`, next in order. */
  applied(group: RaftGroup<unknown>, entry: Entry): void;
  /** A snapshot has replaced the machine's state. */
  installed(group: RaftGroup<unknown>): void;
  /** The core took the read `context`; its grant comes with a {@link Ready} or never. */
  readAsked(group: RaftGroup<unknown>, context: number): void;
  /** The replica was destroyed for good; `tombstone` is what stays. */
  removed(group: RaftGroup<unknown>, tombstone: Tombstone): void;
  /** The store had lost a replica's data: it begins anew, as if it had been destroyed. Before it is opened. */
  buried(group: GroupId, tombstone: Tombstone): void;
  /** The replica is about to become the only voter of its group, whatever the others were promised. */
  forced(group: RaftGroup<unknown>): void;
  /** The group stopped on this node: an invariant broke, or the store failed. */
  failed(group: RaftGroup<unknown>, error: unknown): void;
}
