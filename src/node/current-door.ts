/**
 * The request door of whatever node runs behind it now: the doors for users stay open while a node gives up its empty
 * cluster and comes back under a new id.
 */
import type { ShardId } from "../base/ids.ts";
import type { Command } from "../cache/command.ts";
import type { Query } from "../cache/query.ts";
import type { Consistency, ReplySink, RequestDoor } from "./door.ts";

export class CurrentDoor implements RequestDoor {
  current: RequestDoor;

  constructor(current: RequestDoor) {
    this.current = current;
  }

  get shardCount(): number {
    return this.current.shardCount;
  }

  shardOf(key: string): ShardId {
    return this.current.shardOf(key);
  }

  write(shard: ShardId, command: Command, timeoutMs: number, sink: ReplySink): void {
    this.current.write(shard, command, timeoutMs, sink);
  }

  read(shard: ShardId, query: Query, consistency: Consistency, timeoutMs: number, sink: ReplySink): void {
    this.current.read(shard, query, consistency, timeoutMs, sink);
  }

  wallMs(): number {
    return this.current.wallMs();
  }

  randomU32(): number {
    return this.current.randomU32();
  }
}
