/** FLUSHALL and FLUSHDB: remove every key of every shard. ASYNC and SYNC are accepted; the answer always means done. */
import { type CommandSpec, keylessSpec } from "../command-spec.ts";
import { SYNTAX_ERROR } from "../error-text.ts";
import { allShards, gather } from "../gather.ts";

export const FLUSHALL = flushSpec("flushall", "Removes all keys from all databases.");
export const FLUSHDB = flushSpec("flushdb", "Remove all keys from the current database.");

function flushSpec(name: string, summary: string): CommandSpec {
  return keylessSpec({
    name,
    arity: -1,
    flags: ["write"],
    family: "keyspace",
    order: "alone",
    group: "server",
    summary,
    run(request) {
      const option = request.args[1]?.toUpperCase();
      if (request.args.length > 2 || (option !== undefined && option !== "ASYNC" && option !== "SYNC")) {
        request.refuse(SYNTAX_ERROR);
        return;
      }
      const { door, requestTimeoutMs } = request.client.services;
      gather(
        request,
        allShards(door),
        (shard, sink) => door.write(shard, { type: "clear" }, requestTimeoutMs, sink),
        () => request.ok(),
      );
    },
  });
}
