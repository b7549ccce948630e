/**
 * SCAN: walks the keys of all shards, one shard after the other. A cursor is position * shards + shard in decimal:
 * the node keeps nothing between two calls, and any node can go on where another stopped.
 */
import type { CremaError } from "../../base/errors.ts";
import { shardId } from "../../base/ids.ts";
import { keylessSpec } from "../command-spec.ts";
import { NOT_AN_INTEGER, SYNTAX_ERROR } from "../error-text.ts";
import { clamped, parseInteger } from "../number-arguments.ts";
import { plainForm, replyArray, replyNumber } from "../reply-forms.ts";
import type { Request } from "../request.ts";
import { Fault, type Reply, type ReplySink } from "../vocabulary.ts";

/** As Redis: keys looked at when the client says nothing. */
const COUNT_DEFAULT = 10;
/** Keys looked at in one shard, whatever the client says: a turn of the event loop is not the client's to spend. */
const COUNT_MAX = 100_000;
/** Shards asked in one call, so that a scan of many empty shards takes few calls and none takes long. */
const SHARDS_PER_CALL_MAX = 64;

export const SCAN = keylessSpec({
  name: "scan",
  arity: -2,
  flags: ["readonly"],
  family: "keyspace",
  order: "alone",
  group: "generic",
  summary: "Iterates over the key names in the database.",
  run(request) {
    const cursor = parseCursor(request.arg(1));
    if (cursor === null) {
      request.refuse("ERR invalid cursor");
      return;
    }
    const options = parseScanOptions(request.args);
    if (typeof options === "string") {
      request.refuse(options);
      return;
    }
    const shards = BigInt(request.client.services.door.shardCount);
    const position = cursor / shards;
    if (position > BigInt(Number.MAX_SAFE_INTEGER)) request.refuse("ERR invalid cursor");
    else new ScanWalk(request, options).ask(Number(cursor % shards), Number(position));
  },
});

interface ScanOptions {
  readonly count: number;
  readonly pattern: string | null;
  /** Strings are all there is: another TYPE finds nothing. */
  readonly strings: boolean;
}

function parseScanOptions(args: readonly string[]): ScanOptions | string {
  let count = COUNT_DEFAULT;
  let pattern: string | null = null;
  let strings = true;
  for (let at = 2; at < args.length; at += 2) {
    const option = (args[at] as string).toUpperCase();
    const value = args[at + 1];
    if (value === undefined) return SYNTAX_ERROR;
    if (option === "COUNT") {
      const given = parseInteger(value);
      if (given === null) return NOT_AN_INTEGER;
      if (given < 1) return SYNTAX_ERROR;
      count = Math.min(clamped(given), COUNT_MAX);
    } else if (option === "MATCH") {
      pattern = value === "*" ? null : value;
    } else if (option === "TYPE") {
      strings = value.toLowerCase() === "string";
    } else {
      return SYNTAX_ERROR;
    }
  }
  return { count, pattern, strings };
}

/** An unsigned 64-bit integer, or null. */
function parseCursor(text: string): bigint | null {
  if (!/^[0-9]{1,20}$/.test(text)) return null;
  const value = BigInt(text);
  return value < 2n ** 64n ? value : null;
}

/** The cursor that resumes at `position` of `shard`. */
function formatCursor(position: number, shard: number, shards: number): string {
  const plain = position * shards + shard;
  return Number.isSafeInteger(plain)
    ? String(plain)
    : String(BigInt(position) * BigInt(shards) + BigInt(shard));
}

/** One call of SCAN: asks shard after shard until it has looked at enough. */
class ScanWalk implements ReplySink {
  readonly #request: Request;
  readonly #options: ScanOptions;
  readonly #keys: Reply[] = [];
  #shard = 0;
  #shardsLeft = SHARDS_PER_CALL_MAX;

  constructor(request: Request, options: ScanOptions) {
    this.#request = request;
    this.#options = options;
  }

  ask(shard: number, position: number): void {
    const { services, consistency } = this.#request.client;
    const { count, pattern } = this.#options;
    this.#shard = shard;
    services.door.read(
      shardId(shard),
      { type: "scan", position, count, pattern },
      consistency,
      services.requestTimeoutMs,
      this,
    );
  }

  reply(value: Reply): void {
    if (value instanceof Fault) {
      this.#request.reply(value);
      return;
    }
    const [next, keys] = replyArray(value);
    const position = replyNumber(next);
    if (this.#options.strings) for (const key of replyArray(keys ?? [])) this.#keys.push(key);
    const shards = this.#request.client.services.door.shardCount;
    if (position !== 0) {
      this.#finish(formatCursor(position, this.#shard, shards));
    } else if (this.#shard + 1 >= shards) {
      this.#finish("0");
    } else if (this.#keys.length >= this.#options.count || --this.#shardsLeft === 0) {
      this.#finish(formatCursor(0, this.#shard + 1, shards));
    } else {
      this.ask(this.#shard + 1, 0);
    }
  }

  fail(error: CremaError): void {
    this.#request.fail(error);
  }

  #finish(cursor: string): void {
    this.#request.answer(plainForm, [cursor, this.#keys]);
  }
}
