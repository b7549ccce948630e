/**
 * Replicas that have applied the same entries hold the same state: keys, values, expiries, sessions and stored answers,
 * or, in the system group, the cluster map. A fingerprint costs a walk over all keys, so it is taken now and then while a
 * run goes on, whenever a snapshot was installed, and everywhere at the end.
 * @see Raft Figure 3, State Machine Safety; src/cache/state-digest.ts
 */
import type { GroupId } from "../../base/ids.ts";
import { SystemMachine } from "../../cluster/system-machine.ts";
import type { RaftGroup } from "../../host/raft-group.ts";
import { ShardMachine } from "../../node/shard-machine.ts";
import type { Entry } from "../../raft/entry.ts";
import { textChecksum } from "../checksum.ts";
import type { Life } from "../life.ts";
import type { Checker, CheckerContext } from "./checker.ts";
import { IndexTail } from "./index-tail.ts";
import { PerGroup } from "./per-replica.ts";

export interface ReplicasEqualOptions {
  /** Fingerprints are taken at every so-manieth index. Default 32. */
  readonly everyIndexes?: number;
}

interface Sample {
  readonly digest: string;
  /** The life in which it was taken first. */
  readonly by: string;
}

interface History {
  readonly samples: IndexTail<Sample>;
  /** By index: the last index up to there whose entry went through the machine; that of a snapshot must agree. */
  readonly machineIndexes: IndexTail<number>;
}

export class ReplicasEqual implements Checker {
  readonly name = "replicas-equal";
  readonly #context: CheckerContext;
  readonly #everyIndexes: number;
  readonly #histories = new PerGroup<History>(() => ({
    samples: new IndexTail(),
    machineIndexes: new IndexTail(),
  }));

  constructor(context: CheckerContext, options: ReplicasEqualOptions = {}) {
    this.#context = context;
    this.#everyIndexes = options.everyIndexes ?? 32;
  }

  applied(life: Life, group: RaftGroup<unknown>, entry: Entry): void {
    const { index } = entry;
    const history = this.#histories.of(life, group.id);
    const { machineIndexes, samples } = history;
    if (index > machineIndexes.last) {
      const last = entry.kind === "data" ? index : (machineIndexes.get(index - 1) ?? 0);
      machineIndexes.set(index, last);
    }
    if (index % this.#everyIndexes === 0 || samples.get(index) !== undefined) {
      this.#sample(life, group, history, index);
    }
  }

  installed(life: Life, group: RaftGroup<unknown>): void {
    const index = group.raft.applied;
    const history = this.#histories.of(life, group.id);
    const expected = history.machineIndexes.get(index);
    if (group.machine instanceof ShardMachine && expected !== undefined) {
      const { appliedIndex } = group.machine.cache;
      if (appliedIndex !== expected) {
        const found = { group: group.id, snapshotIndex: index, machineIndex: appliedIndex, expected };
        this.#context.report("a snapshot holds what its index says", found, [life]);
      }
    }
    this.#sample(life, group, history, index);
  }

  /** For the end of a run, when nothing moves any more: compares all replicas that have applied equally much. */
  compareAll(lives: readonly Life[]): void {
    for (const life of lives) {
      for (const group of life.node.groups.groups()) {
        if (group.raft.applied > 0) {
          this.#sample(life, group, this.#histories.of(life, group.id), group.raft.applied);
        }
      }
    }
  }

  #sample(life: Life, group: RaftGroup<unknown>, { samples }: History, index: number): void {
    const digest = digestOf(group);
    if (digest === null) return;
    const known = samples.get(index);
    if (known === undefined) samples.set(index, { digest, by: life.name });
    else if (known.digest !== digest) this.#differs(life, group.id, index, known, digest);
  }

  #differs(life: Life, group: GroupId, index: number, known: Sample, digest: string): void {
    const found = { group, index, digests: [known.digest, digest], comparedWith: known.by };
    this.#context.report("replicas that applied the same entries hold the same state", found, [life]);
  }
}

/** null for a machine that this checker knows nothing about. */
function digestOf({ machine }: RaftGroup<unknown>): string | null {
  if (machine instanceof ShardMachine) return machine.cache.digest();
  if (!(machine instanceof SystemMachine)) return null;
  const { map } = machine;
  return map === null ? "no map" : `map ${map.version} ${textChecksum(JSON.stringify(map))}`;
}
