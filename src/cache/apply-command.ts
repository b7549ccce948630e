/**
 * From a command to the function that carries it out.
 */
import { unreachable } from "../base/assert.ts";
import type { Command } from "./command.ts";
import { applyIncrement, applyIncrementFloat } from "./counter-commands.ts";
import {
  applyClear,
  applyDelete,
  applyDeleteIfVersion,
  applyEvict,
  applyExpire,
  applyPersist,
  applyRemoveExpired,
  applyRename,
} from "./key-commands.ts";
import type { Reply } from "./reply.ts";
import type { ShardState } from "./shard-state.ts";
import {
  applyAppend,
  applyGetDelete,
  applyGetExpire,
  applySet,
  applySetMany,
  applySetRange,
} from "./string-commands.ts";

/** Applies any command; `index` is that of the entry that carries it. Sessions are the caller's affair. */
export function applyCommand(shard: ShardState, command: Command, index: number): Reply {
  switch (command.type) {
    case "set":
      return applySet(shard, command);
    case "set-many":
      return applySetMany(shard, command);
    case "delete":
      return applyDelete(shard, command);
    case "delete-if-version":
      return applyDeleteIfVersion(shard, command);
    case "get-delete":
      return applyGetDelete(shard, command);
    case "get-expire":
      return applyGetExpire(shard, command);
    case "expire":
      return applyExpire(shard, command);
    case "persist":
      return applyPersist(shard, command);
    case "increment":
      return applyIncrement(shard, command);
    case "increment-float":
      return applyIncrementFloat(shard, command);
    case "append":
      return applyAppend(shard, command);
    case "set-range":
      return applySetRange(shard, command);
    case "rename":
      return applyRename(shard, command);
    case "clear":
      return applyClear(shard);
    case "remove-expired":
      return applyRemoveExpired(shard, command);
    case "evict":
      return applyEvict(shard, command);
    case "open-session":
      return shard.sessions.open(command.node, command.boot, index).id;
    default:
      return unreachable(command);
  }
}
