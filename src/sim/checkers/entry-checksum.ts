/**
 * What an entry says, as one number: equal entries, equal number, whichever replica holds them and however its bytes
 * got there. Index and term are not part of it.
 */
import { unreachable } from "../../base/assert.ts";
import type { Configuration } from "../../raft/configuration.ts";
import type { Entry } from "../../raft/entry.ts";
import { checksum, textChecksum } from "../checksum.ts";

export function entryChecksum(entry: Entry): number {
  switch (entry.kind) {
    case "noop":
      return textChecksum("noop");
    case "data":
      return checksum(entry.data);
    case "membership":
      return textChecksum(configurationText(entry.configuration));
    default:
      return unreachable(entry);
  }
}

/** Everything a configuration says, in a fixed order. */
export function configurationText(configuration: Configuration): string {
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = configuration;
  const lists = [voters, votersOutgoing, learners, learnersNext].map((nodes) => nodes.join(" "));
  return `${lists.join(" | ")} | ${autoLeave}`;
}
