/** MGET: values in the order asked for. Each shard answers its own keys from one moment; shards may differ in theirs. */
import type { CommandSpec } from "../command-spec.ts";
import { gather, splitByShard } from "../gather.ts";
import { plainForm, replyArray } from "../reply-forms.ts";
import type { Reply } from "../vocabulary.ts";

export const MGET: CommandSpec = {
  name: "mget",
  arity: -2,
  flags: ["readonly", "fast"],
  firstKey: 1,
  lastKey: -1,
  keyStep: 1,
  family: "read",
  order: "keys",
  group: "string",
  summary: "Atomically returns the string values of one or more keys.",
  run(request) {
    const { services, consistency } = request.client;
    const { door, requestTimeoutMs } = services;
    const keys = request.args.slice(1);
    const parts = splitByShard(door, keys);
    gather(
      request,
      parts,
      (part, sink) =>
        door.read(part.shard, { type: "get-many", keys: part.keys }, consistency, requestTimeoutMs, sink),
      (answers) => {
        const values = new Array<Reply>(keys.length).fill(null);
        for (const [index, part] of parts.entries()) {
          const found = replyArray(answers[index] ?? null);
          for (const [at, position] of part.positions.entries()) values[position] = found[at] ?? null;
        }
        request.answer(plainForm, values);
      },
    );
  },
};
