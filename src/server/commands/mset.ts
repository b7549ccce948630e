/**
 * MSET and MSETNX: several pairs at once. MSET is atomic per shard; MSETNX, which promises all or nothing, asks that
 * its keys share one.
 */
import type { CommandSpec } from "../command-spec.ts";
import { CROSS_SLOT } from "../error-text.ts";
import { commonShard, gather, splitByShard } from "../gather.ts";
import { integerForm } from "../reply-forms.ts";
import type { Request } from "../request.ts";

type Pair = readonly [key: string, value: string];

const PAIRS = {
  arity: -3,
  flags: ["write", "denyoom"],
  firstKey: 1,
  lastKey: -1,
  keyStep: 2,
  family: "write",
  order: "keys",
  group: "string",
} as const;

export const MSET: CommandSpec = {
  ...PAIRS,
  name: "mset",
  summary: "Atomically creates or modifies the string values of one or more keys.",
  run(request) {
    const pairs = readPairs(request);
    if (pairs === null) return;
    const { door, requestTimeoutMs } = request.client.services;
    const parts = splitByShard(
      door,
      pairs.map(([key]) => key),
    );
    gather(
      request,
      parts,
      (part, sink) => {
        const own = part.positions.map((position) => pairs[position] as Pair);
        door.write(
          part.shard,
          { type: "set-many", pairs: own, onlyIfAllAbsent: false },
          requestTimeoutMs,
          sink,
        );
      },
      () => request.ok(),
    );
  },
};

export const MSETNX: CommandSpec = {
  ...PAIRS,
  name: "msetnx",
  summary: "Atomically modifies the string values of one or more keys only when all keys don't exist.",
  run(request) {
    const pairs = readPairs(request);
    if (pairs === null) return;
    const { door, requestTimeoutMs } = request.client.services;
    const shard = commonShard(
      door,
      pairs.map(([key]) => key),
    );
    if (shard === null) {
      request.refuse(CROSS_SLOT);
      return;
    }
    request.form = integerForm;
    door.write(shard, { type: "set-many", pairs, onlyIfAllAbsent: true }, requestTimeoutMs, request);
  },
};

/** The pairs of `request`, or null after it was refused. */
function readPairs(request: Request): readonly Pair[] | null {
  const { args } = request;
  if (args.length % 2 === 0) {
    request.refuseArity();
    return null;
  }
  const pairs: Pair[] = [];
  for (let at = 1; at < args.length; at += 2) {
    const value = request.arg(at + 1);
    if (!request.valueFits(value)) return null;
    pairs.push([request.arg(at), value]);
  }
  return pairs;
}
