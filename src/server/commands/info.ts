/** INFO: what this node and its door can say about themselves, in Redis' sections and names. Every number is measured. */
import type { CremaError } from "../../base/errors.ts";
import { keylessSpec } from "../command-spec.ts";
import { allShards } from "../gather.ts";
import { INFO_DEFAULT_SECTIONS, INFO_SECTIONS, type InfoSection, infoText } from "../info-text.ts";
import { verbatimForm } from "../reply-forms.ts";
import type { Request } from "../request.ts";
import type { Reply, ReplySink } from "../vocabulary.ts";

/** Longest wait for the shards' key counts: INFO is what people call when something is wrong. */
const COUNT_TIMEOUT_MS = 1_000;

export const INFO = keylessSpec({
  name: "info",
  arity: -1,
  flags: ["loading", "stale"],
  family: "server",
  order: "free",
  group: "server",
  summary: "Returns information and statistics about the server.",
  run(request) {
    const sections = wantedSections(request.args.slice(1));
    if (!sections.has("keyspace")) {
      request.answer(verbatimForm, infoText(request.client.services, sections, null));
      return;
    }
    const { door } = request.client.services;
    const count = new KeyCount(request, sections, door.shardCount);
    for (const shard of allShards(door)) {
      door.read(shard, { type: "count" }, "local", COUNT_TIMEOUT_MS, count);
    }
  },
});

function wantedSections(words: readonly string[]): ReadonlySet<InfoSection> {
  const wanted = new Set<InfoSection>(words.length === 0 ? INFO_DEFAULT_SECTIONS : []);
  for (const word of words) {
    const name = word.toLowerCase();
    if (name === "default") for (const section of INFO_DEFAULT_SECTIONS) wanted.add(section);
    else if (name === "all" || name === "everything")
      for (const section of INFO_SECTIONS) wanted.add(section);
    else for (const section of INFO_SECTIONS) if (section === name) wanted.add(section);
  }
  return wanted;
}

/** Adds up the shards' counts as far as they can be had; one that cannot leaves the total unknown. */
class KeyCount implements ReplySink {
  readonly #request: Request;
  readonly #sections: ReadonlySet<InfoSection>;
  #left: number;
  #keys: number | null = 0;

  constructor(request: Request, sections: ReadonlySet<InfoSection>, shards: number) {
    this.#request = request;
    this.#sections = sections;
    this.#left = shards;
  }

  reply(value: Reply): void {
    if (typeof value !== "number") this.#keys = null;
    else if (this.#keys !== null) this.#keys += value;
    this.#ended();
  }

  fail(_error: CremaError): void {
    this.#keys = null;
    this.#ended();
  }

  #ended(): void {
    if (--this.#left > 0) return;
    const text = infoText(this.#request.client.services, this.#sections, this.#keys ?? "unknown");
    this.#request.answer(verbatimForm, text);
  }
}
