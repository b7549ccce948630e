/**
 * Links between the replicas of every group held here, up before they are needed. Followers have nothing to say to each other
 * until their leader dies; if they dialled only then, the first messages of the election would be lost on the way, the answers to
 * the next ones too, and each loss costs an election timeout. In a small cluster every node talks to every other anyway; in a large
 * one a node has as many links as its groups have other members.
 */
import type { GroupId, NodeId } from "../base/ids.ts";
import type { PeerLinks } from "../host/links/peer-links.ts";
import type { MultiRaft } from "../host/multi-raft.ts";
import type { Clock, Timer } from "../host/ports.ts";

/** How often all groups are looked at: nothing depends on a change being seen. */
const ROUND_MS = 2_000;

export interface GroupLinksParts {
  readonly self: NodeId;
  readonly groups: MultiRaft;
  readonly links: Pick<PeerLinks, "channel">;
  readonly clock: Clock;
}

export class GroupLinks {
  readonly #parts: GroupLinksParts;
  #timer: Timer | null = null;

  constructor(parts: GroupLinksParts) {
    this.#parts = parts;
  }

  /** Begins, and goes on until {@link close}. */
  start(): void {
    this.#timer = this.#parts.clock.setTimer(ROUND_MS, () => {
      this.start();
      for (const { id } of this.#parts.groups.groups()) this.look(id);
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  /** The members of `group` may have changed: dials those to whom there is no link. */
  look(group: GroupId): void {
    const { self, groups, links } = this.#parts;
    const configuration = groups.get(group)?.raft.configuration;
    if (configuration === undefined) return;
    for (const nodes of [configuration.voters, configuration.votersOutgoing, configuration.learners])
      for (const node of nodes) if (node !== self) links.channel(node);
  }
}
