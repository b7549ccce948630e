/**
 * One request over several shards: each shard is asked once, and when the last has answered the answers are merged.
 * There is no atomicity across shards; a write that only some shards took is reported as ambiguous.
 */
import { CremaError } from "../base/errors.ts";
import { type ShardId, shardId } from "../base/ids.ts";
import type { Request } from "./request.ts";
import { Fault, type Reply, type ReplySink, type RequestDoor } from "./vocabulary.ts";

/** The keys of a request that live on one shard. */
export interface ShardPart {
  readonly shard: ShardId;
  readonly keys: readonly string[];
  /** Where each of `keys` stood in the request, counting keys from 0. */
  readonly positions: readonly number[];
}

/** Groups `keys` by shard, in order of first mention. */
export function splitByShard(door: RequestDoor, keys: readonly string[]): readonly ShardPart[] {
  const parts = new Map<ShardId, { shard: ShardId; keys: string[]; positions: number[] }>();
  for (const [position, key] of keys.entries()) {
    const shard = door.shardOf(key);
    let part = parts.get(shard);
    if (part === undefined) {
      part = { shard, keys: [], positions: [] };
      parts.set(shard, part);
    }
    part.keys.push(key);
    part.positions.push(position);
  }
  return [...parts.values()];
}

/** The shard that all of `keys` share, or null when they do not. */
export function commonShard(door: RequestDoor, keys: readonly string[]): ShardId | null {
  const [first, ...rest] = keys;
  if (first === undefined) return null;
  const shard = door.shardOf(first);
  return rest.every((key) => door.shardOf(key) === shard) ? shard : null;
}

/** Every shard of the cluster. */
export function allShards(door: RequestDoor): readonly ShardId[] {
  return Array.from({ length: door.shardCount }, (_, shard) => shardId(shard));
}

/**
 * Asks `targets` side by side through `ask`, then calls `merge` with their answers in the order of `targets`; or fails
 * or refuses `request` when one of them did. `targets` is not empty.
 */
export function gather<Target>(
  request: Request,
  targets: readonly Target[],
  ask: (target: Target, sink: ReplySink) => void,
  merge: (values: readonly Reply[]) => void,
): void {
  const state = new Gathering(request, targets.length, merge);
  for (const [index, target] of targets.entries()) ask(target, new GatheringPart(state, index));
}

/** Adds up answers that are counts. */
export function sumOf(values: readonly Reply[]): number {
  let sum = 0;
  for (const value of values) sum += Number(value);
  return sum;
}

class Gathering {
  readonly #request: Request;
  readonly #merge: (values: readonly Reply[]) => void;
  readonly #values: Reply[];
  #left: number;
  #failure: CremaError | null = null;
  #fault: Fault | null = null;
  #answered = 0;

  constructor(request: Request, parts: number, merge: (values: readonly Reply[]) => void) {
    this.#request = request;
    this.#merge = merge;
    this.#values = new Array<Reply>(parts).fill(null);
    this.#left = parts;
  }

  answered(index: number, value: Reply): void {
    this.#values[index] = value;
    if (value instanceof Fault) this.#fault ??= value;
    else this.#answered++;
    this.#ended();
  }

  failed(error: CremaError): void {
    if (this.#failure === null || (error.ambiguous && !this.#failure.ambiguous)) this.#failure = error;
    this.#ended();
  }

  #ended(): void {
    if (--this.#left > 0) return;
    if (this.#failure !== null) this.#request.fail(this.#partial(this.#failure));
    else if (this.#fault !== null) this.#request.reply(this.#fault);
    else this.#merge(this.#values);
  }

  /** The failure of a part as the failure of the whole: a write that other shards took has happened in part. */
  #partial(error: CremaError): CremaError {
    if (error.ambiguous || this.#answered === 0 || !this.#request.entry.writes) return error;
    return new CremaError(error.code, `${error.message}; other shards of this request answered`, {
      ambiguous: true,
      cause: error,
    });
  }
}

class GatheringPart implements ReplySink {
  readonly #gathering: Gathering;
  readonly #index: number;

  constructor(gathering: Gathering, index: number) {
    this.#gathering = gathering;
    this.#index = index;
  }

  reply(value: Reply): void {
    this.#gathering.answered(this.#index, value);
  }

  fail(error: CremaError): void {
    this.#gathering.failed(error);
  }
}
