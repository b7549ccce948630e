/** DBSIZE: how many keys there are in all shards. */
import { keylessSpec } from "../command-spec.ts";
import { allShards, gather, sumOf } from "../gather.ts";
import { integerForm } from "../reply-forms.ts";

export const DBSIZE = keylessSpec({
  name: "dbsize",
  arity: 1,
  flags: ["readonly", "fast"],
  family: "keyspace",
  order: "alone",
  group: "server",
  summary: "Returns the number of keys in the database.",
  run(request) {
    const { services, consistency } = request.client;
    const { door, requestTimeoutMs } = services;
    gather(
      request,
      allShards(door),
      (shard, sink) => door.read(shard, { type: "count" }, consistency, requestTimeoutMs, sink),
      (counts) => request.answer(integerForm, sumOf(counts)),
    );
  },
});
