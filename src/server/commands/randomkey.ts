/** RANDOMKEY: some key, each as likely as any other: a shard is drawn by its size, then a key of it. */
import { shardId } from "../../base/ids.ts";
import { keylessSpec } from "../command-spec.ts";
import { allShards, gather, sumOf } from "../gather.ts";
import { bulkForm, replyNumber } from "../reply-forms.ts";
import type { Reply } from "../vocabulary.ts";

export const RANDOMKEY = keylessSpec({
  name: "randomkey",
  arity: 1,
  flags: ["readonly"],
  family: "keyspace",
  order: "alone",
  group: "generic",
  summary: "Returns a random key name from the database.",
  run(request) {
    const { services, consistency } = request.client;
    const { door, requestTimeoutMs } = services;
    gather(
      request,
      allShards(door),
      (shard, sink) => door.read(shard, { type: "count" }, consistency, requestTimeoutMs, sink),
      (counts) => {
        const keys = sumOf(counts);
        if (keys === 0) {
          request.answer(bulkForm, null);
          return;
        }
        const shard = shardId(shardHolding(counts, door.randomU32() % keys));
        request.form = bulkForm;
        door.read(
          shard,
          { type: "random-key", pick: door.randomU32() },
          consistency,
          requestTimeoutMs,
          request,
        );
      },
    );
  },
});

/** The index of the count that contains number `pick` when all are laid end to end. */
function shardHolding(counts: readonly Reply[], pick: number): number {
  let before = 0;
  for (const [shard, count] of counts.entries()) {
    before += replyNumber(count);
    if (pick < before) return shard;
  }
  return 0;
}
