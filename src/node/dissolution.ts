/**
 * Heals the commonest accident of memory mode: a founder without seeds dies and is started again by the same command
 * while its old members live on. It founds anew, alone, and its old members, who never stop dialling a dead address,
 * meet a foreign cluster there. A lone node that founded by itself and holds no user write may give up its empty
 * cluster and join theirs under a new id. In every other case both sides refuse each other and say so.
 *
 * Two lone founders that meet must not both give up: a node does so only at a second meeting, after a pause drawn at
 * random, and whoever gave up first has no cluster to be met with any more.
 */
import type { Random } from "../base/random.ts";
import type { ClusterNode } from "./cluster-node.ts";
import { ShardMachine } from "./shard-machine.ts";

const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 3_000;

/** This node is the only member its cluster ever had, and nobody has written anything. */
export function isLoneAndEmpty(node: ClusterNode): boolean {
  const { map } = node.control;
  if (map === null || map.members.length !== 1 || map.removed.length > 0 || !node.control.isListed)
    return false;
  let hosted = 0;
  for (const { machine } of node.groups.groups()) {
    if (!(machine instanceof ShardMachine)) continue;
    if (machine.cache.revision > 0) return false;
    hosted++;
  }
  return hosted === map.shardCount;
}

export class Dissolution {
  readonly #node: ClusterNode;
  readonly #pauseMs: number;
  #firstMeetingMs: number | null = null;

  constructor(node: ClusterNode, random: Random) {
    this.#node = node;
    this.#pauseMs = random.nextBetween(PAUSE_MIN_MS, PAUSE_MAX_MS);
  }

  /** A member of another cluster was met: whether this node should give up its own for theirs, now. */
  shouldGiveUp(): boolean {
    const { seeds, bootstrap } = this.#node.options;
    if (seeds.length > 0 || bootstrap !== "auto" || !isLoneAndEmpty(this.#node)) return false;
    const nowMs = this.#node.clock.nowMs();
    this.#firstMeetingMs ??= nowMs;
    return nowMs - this.#firstMeetingMs >= this.#pauseMs;
  }
}
