/** EXISTS, and TOUCH, which here is the same question: nothing is evicted by idle time on the client's word. */
import type { CommandSpec } from "../command-spec.ts";
import { gather, splitByShard, sumOf } from "../gather.ts";
import { integerForm } from "../reply-forms.ts";

export const EXISTS = existsSpec("exists", "Determines whether one or more keys exist.");
export const TOUCH = existsSpec(
  "touch",
  "Returns the number of existing keys out of those specified after updating the time they were last accessed.",
);

function existsSpec(name: string, summary: string): CommandSpec {
  return {
    name,
    arity: -2,
    flags: ["readonly", "fast"],
    firstKey: 1,
    lastKey: -1,
    keyStep: 1,
    family: "read",
    order: "keys",
    group: "generic",
    summary,
    run(request) {
      const { services, consistency } = request.client;
      const { door, requestTimeoutMs } = services;
      if (request.args.length === 2) {
        const key = request.arg(1);
        request.readKey(key, { type: "exists", keys: [key] }, integerForm);
        return;
      }
      gather(
        request,
        splitByShard(door, request.args.slice(1)),
        (part, sink) =>
          door.read(part.shard, { type: "exists", keys: part.keys }, consistency, requestTimeoutMs, sink),
        (counts) => request.answer(integerForm, sumOf(counts)),
      );
    },
  };
}
