/**
 * A node belongs to one cluster for as long as it lives, and a fleet that was started as one is one. A group is founded by
 * one list of voters, each of which opens its founding replica once in the life of its node id: a replica founded a
 * second time would vote as if it had never acknowledged anything. What memory mode does not promise is told in
 * `docs/decisions/0006` and `0008`.
 */
import type { ClusterId, GroupId, NodeId } from "../../base/ids.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { PerGroup } from "./per-replica.ts";

export interface OneClusterOptions {
  /** All nodes that ever belong to a cluster belong to the same one. Default true. */
  readonly expectOne?: boolean;
}

interface Membership {
  readonly life: Life;
  readonly clusterId: ClusterId;
}

interface Founding {
  /** The founding voters, and the life that said so first. */
  voters: string | null;
  by: Life | null;
  /** Nodes that once opened their founding replica, with the life in which they did so last. */
  readonly opened: Map<NodeId, Life>;
}

export class OneCluster implements Checker {
  readonly name = "one-cluster";
  readonly #context: CheckerContext;
  readonly #expectOne: boolean;
  /** The first node that belonged to a cluster. */
  #first: Membership | null = null;
  readonly #clusters = new Map<Life, ClusterId>();
  readonly #foundings = new PerGroup<Founding>(() => ({ voters: null, by: null, opened: new Map() }));

  constructor(context: CheckerContext, options: OneClusterOptions = {}) {
    this.#context = context;
    this.#expectOne = options.expectOne ?? true;
  }

  after(life: Life): void {
    this.#look(life);
  }

  opened(life: Life, { id, raft }: RaftGroup<unknown>): void {
    this.#look(life);
    if (raft.applied !== 1 || raft.lastIndex !== 1 || raft.configuration.voters.length === 0) return;
    const founding = this.#foundings.of(life, id);
    const voters = raft.configuration.voters.join(" ");
    if (founding.voters === null || founding.by === null) {
      founding.voters = voters;
      founding.by = life;
    } else if (founding.voters !== voters) {
      const found = { group: id, voters: [founding.voters, voters] };
      this.#context.report("a group is founded by one list of voters", found, [founding.by, life]);
    }
    this.#opensFounding(life, id, founding);
  }

  ended(life: Life): void {
    this.#clusters.delete(life);
  }

  #look(life: Life): void {
    const { clusterId } = life.node;
    const before = this.#clusters.get(life) ?? null;
    if (clusterId === before) return;
    if (before !== null) {
      this.#context.report("a node belongs to one cluster", { clusterIds: [before, clusterId] }, [life]);
    }
    if (clusterId === null) return;
    this.#clusters.set(life, clusterId);
    this.#first ??= { life, clusterId };
    if (clusterId === this.#first.clusterId || !this.#expectOne || before !== null) return;
    const found = { clusterIds: [this.#first.clusterId, clusterId] };
    this.#context.report("all nodes belong to one cluster", found, [this.#first.life, life]);
  }

  /**
   * A node that comes back from its disk before anything happened in the group looks the same, in another life; one that
   * should have known better there is found by `monotonic`.
   */
  #opensFounding(life: Life, group: GroupId, founding: Founding): void {
    const { nodeId } = life.node;
    if (founding.opened.get(nodeId) === life) {
      this.#context.report("a node founds its replica of a group once", { group, nodeId }, [life]);
    }
    founding.opened.set(nodeId, life);
  }
}
