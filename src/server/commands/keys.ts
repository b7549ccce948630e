/** KEYS: every key that matches a glob. Refuses to answer in part: what is too much for one reply is SCAN's work. */
import { keylessSpec } from "../command-spec.ts";
import { allShards, gather } from "../gather.ts";
import { plainForm, replyArray } from "../reply-forms.ts";
import type { Reply } from "../vocabulary.ts";

/** Keys in one answer. */
export const KEYS_REPLY_MAX = 1_000_000;

export const KEYS = keylessSpec({
  name: "keys",
  arity: 2,
  flags: ["readonly"],
  family: "keyspace",
  order: "alone",
  group: "generic",
  summary: "Returns all key names that match a pattern.",
  run(request) {
    const { services, consistency } = request.client;
    const { door, requestTimeoutMs } = services;
    const pattern = request.arg(1);
    const limit = KEYS_REPLY_MAX + 1;
    gather(
      request,
      allShards(door),
      (shard, sink) =>
        door.read(shard, { type: "keys", pattern, limit }, consistency, requestTimeoutMs, sink),
      (answers) => {
        const keys: Reply[] = [];
        for (const answer of answers) for (const key of replyArray(answer)) keys.push(key);
        if (keys.length > KEYS_REPLY_MAX) {
          request.refuse(`ERR more than ${KEYS_REPLY_MAX} keys match, use SCAN`);
        } else {
          request.answer(plainForm, keys);
        }
      },
    );
  },
});
