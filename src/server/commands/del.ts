/** DEL and UNLINK: remove keys and answer how many there were. Atomic per shard. */
import type { CommandFlag, CommandSpec } from "../command-spec.ts";
import { gather, splitByShard, sumOf } from "../gather.ts";
import { integerForm } from "../reply-forms.ts";

export const DEL = deleteSpec("del", ["write"], "Deletes one or more keys.");
export const UNLINK = deleteSpec("unlink", ["write", "fast"], "Asynchronously deletes one or more keys.");

function deleteSpec(name: string, flags: readonly CommandFlag[], summary: string): CommandSpec {
  return {
    name,
    arity: -2,
    flags,
    firstKey: 1,
    lastKey: -1,
    keyStep: 1,
    family: "write",
    order: "keys",
    group: "generic",
    summary,
    run(request) {
      const { door, requestTimeoutMs } = request.client.services;
      if (request.args.length === 2) {
        const key = request.arg(1);
        request.writeKey(key, { type: "delete", keys: [key] }, integerForm);
        return;
      }
      gather(
        request,
        splitByShard(door, request.args.slice(1)),
        (part, sink) => door.write(part.shard, { type: "delete", keys: part.keys }, requestTimeoutMs, sink),
        (counts) => request.answer(integerForm, sumOf(counts)),
      );
    },
  };
}
