/**
 * The settings that CONFIG shows and sets, under Redis' names. What is listed is true of this node, and what may be
 * set is obeyed; a parameter that is fixed here can only be "set" to the value it has.
 */
import { VALUE_BYTES_MAX } from "../base/limits.ts";

/** What the node tells the door about itself. */
export interface NodeFacts {
  /** Accounted bytes this node may hold; 0 is no limit. */
  readonly maxMemoryBytes: number;
  /** Keys this node may hold; 0 is no limit. Default 0. */
  readonly maxEntries?: number;
  /** What gives way at these limits. Default lru. */
  readonly evictionPolicy?: "lru" | "lfu" | "none";
  /** Whether acknowledged writes survive the loss of power of every node. */
  readonly durable: boolean;
}

/** The door's settings: a few fixed ones and those that may change while it runs. */
export class ServerSettings {
  /** Connections beyond this are refused. */
  maxClients: number;
  readonly #fixed: ReadonlyMap<string, string>;

  constructor(facts: NodeFacts, maxClients: number) {
    this.maxClients = maxClients;
    this.#fixed = new Map([
      ["appendfsync", facts.durable ? "always" : "no"],
      ["appendonly", facts.durable ? "yes" : "no"],
      ["cluster-enabled", "no"],
      ["databases", "1"],
      ["maxmemory", String(facts.maxMemoryBytes)],
      ["maxmemory-policy", policyName(facts)],
      ["notify-keyspace-events", ""],
      ["proto-max-bulk-len", String(VALUE_BYTES_MAX)],
      ["requirepass", ""],
      ["save", ""],
      ["timeout", "0"],
    ]);
  }

  /** The value of the setting called `name` in lower case; undefined when there is none. */
  get(name: string): string | undefined {
    return name === "maxclients" ? String(this.maxClients) : this.#fixed.get(name);
  }

  /** Names and values of all settings that match one of `patterns`. A plain name is answered as it was written. */
  matching(patterns: readonly string[]): readonly (readonly [name: string, value: string])[] {
    const found = new Map<string, string>();
    for (const pattern of patterns) {
      const glob = globOf(pattern);
      for (const name of [...this.#fixed.keys(), "maxclients"]) {
        if (glob.test(name)) found.set(isGlob(pattern) ? name : pattern, this.get(name) ?? "");
      }
    }
    return [...found];
  }

  /** Takes all of `wanted`, or none and says why, in Redis' words. Names are lower case. */
  apply(wanted: ReadonlyMap<string, string>): string | null {
    for (const name of wanted.keys()) {
      if (name !== "maxclients" && !this.#fixed.has(name)) {
        return `ERR Unknown option or number of arguments for CONFIG SET - '${name}'`;
      }
    }
    let maxClients = this.maxClients;
    for (const [name, value] of wanted) {
      if (name === "maxclients") {
        const refusal = integerRefusal(value);
        if (refusal !== null) return failed(name, refusal);
        maxClients = Number(value);
      } else if (this.#fixed.get(name) !== value.toLowerCase()) {
        return failed(name, "can't set immutable config");
      }
    }
    this.maxClients = maxClients;
    return null;
  }
}

/** As Redis calls it. */
function policyName({ maxMemoryBytes, maxEntries = 0, evictionPolicy = "lru" }: NodeFacts): string {
  if ((maxMemoryBytes === 0 && maxEntries === 0) || evictionPolicy === "none") return "noeviction";
  return `allkeys-${evictionPolicy}`;
}

const MAX_CLIENTS_MAX = 4_294_967_295;

function integerRefusal(value: string): string | null {
  if (!/^-?[0-9]+$/.test(value)) return "argument couldn't be parsed into an integer";
  const number = Number(value);
  return number >= 1 && number <= MAX_CLIENTS_MAX
    ? null
    : `argument must be between 1 and ${MAX_CLIENTS_MAX} inclusive`;
}

function failed(name: string, reason: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`;
}

function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/** The few glob forms that make sense for a setting's name: `*` and `?`. */
function globOf(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*+/g, ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "i");
}
