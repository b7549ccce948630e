/** RENAME and RENAMENX: move a value with its expiry to another key of the same shard. */
import type { CommandSpec } from "../command-spec.ts";
import { CROSS_SLOT } from "../error-text.ts";
import { commonShard } from "../gather.ts";
import { integerForm, okForm, type ReplyForm } from "../reply-forms.ts";

export const RENAME = renameSpec("rename", false, okForm, "Renames a key and overwrites the destination.");
export const RENAMENX = renameSpec(
  "renamenx",
  true,
  integerForm,
  "Renames a key only when the target key name doesn't exist.",
);

function renameSpec(name: string, onlyIfAbsent: boolean, form: ReplyForm, summary: string): CommandSpec {
  return {
    name,
    arity: 3,
    flags: onlyIfAbsent ? ["write", "fast"] : ["write"],
    firstKey: 1,
    lastKey: 2,
    keyStep: 1,
    family: "write",
    order: "keys",
    group: "generic",
    summary,
    run(request) {
      const from = request.arg(1);
      const to = request.arg(2);
      if (commonShard(request.client.services.door, [from, to]) === null) request.refuse(CROSS_SLOT);
      else request.writeKey(from, { type: "rename", from, to, onlyIfAbsent }, form);
    },
  };
}
