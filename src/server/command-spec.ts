/**
 * What a command says about itself. One spec per command, in `commands/`; the table, COMMAND, the arity check, the
 * ordering of a connection and the metrics all read it, so that nothing about a command is said twice.
 */
import type { Request } from "./request.ts";

/** As COMMAND INFO reports them. `write` also decides how requests on equal keys are ordered. */
export type CommandFlag =
  | "admin"
  | "denyoom"
  | "fast"
  | "loading"
  | "noscript"
  | "no_auth"
  | "readonly"
  | "stale"
  | "write";

/** Which latency histogram a command is counted in. */
export type CommandFamily = "read" | "write" | "keyspace" | "connection" | "server";

/**
 * When a command may start while earlier requests of its connection are still running.
 * `free`: at once. `keys`: at once for a read; for a write, once no earlier request still reads one of its keys. `alone`: once
 * everything before it is answered, and nothing after it starts until it is.
 */
export type CommandOrder = "free" | "keys" | "alone";

export interface CommandSpec {
  /** Lower case. */
  readonly name: string;
  /** Arguments including the name; -n means at least n. */
  readonly arity: number;
  readonly flags: readonly CommandFlag[];
  /** Position of the first key, 0 when there is none. */
  readonly firstKey: number;
  /** Position of the last key; negative counts from the end. */
  readonly lastKey: number;
  readonly keyStep: number;
  readonly family: CommandFamily;
  readonly order: CommandOrder;
  /** Redis' own grouping, for COMMAND DOCS. */
  readonly group: "string" | "generic" | "connection" | "server";
  /** One sentence, for COMMAND DOCS. */
  readonly summary: string;
  /** Answers `request` now or later, through the request itself. The arity has been checked, and keys have a legal length. */
  readonly run: (request: Request) => void;
}

/** A command that touches exactly one key, its first argument. */
export function singleKeySpec(
  spec: Pick<CommandSpec, "name" | "arity" | "flags" | "group" | "summary" | "run">,
): CommandSpec {
  return {
    ...spec,
    firstKey: 1,
    lastKey: 1,
    keyStep: 1,
    family: spec.flags.includes("write") ? "write" : "read",
    order: "keys",
  };
}

/** A command that touches no key. */
export function keylessSpec(
  spec: Pick<CommandSpec, "name" | "arity" | "flags" | "group" | "family" | "order" | "summary" | "run">,
): CommandSpec {
  return { ...spec, firstKey: 0, lastKey: 0, keyStep: 0 };
}

/** Calls `visit` with every key among `args`, in order. */
export function forEachKey(spec: CommandSpec, args: readonly string[], visit: (key: string) => void): void {
  if (spec.firstKey === 0) return;
  const last = spec.lastKey < 0 ? args.length + spec.lastKey : spec.lastKey;
  for (let at = spec.firstKey; at <= last; at += spec.keyStep) visit(args[at] as string);
}
