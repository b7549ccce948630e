/**
 * What a command or query answers. Strings are binary strings, as everywhere in the pure rooms.
 */

export type FaultCode =
  | "not-an-integer"
  | "not-a-float"
  | "increment-overflow"
  | "increment-nan"
  | "value-too-large"
  | "no-such-key"
  | "wrong-type"
  | "shard-full"
  | "session-expired"
  | "session-overrun"
  | "already-acknowledged";

/** Every fault code. Only ever extended at the end: on the wire a code is its place in this list. */
export const FAULT_CODES: readonly FaultCode[] = Object.freeze([
  "not-an-integer",
  "not-a-float",
  "increment-overflow",
  "increment-nan",
  "value-too-large",
  "no-such-key",
  "wrong-type",
  "shard-full",
  "session-expired",
  "session-overrun",
  "already-acknowledged",
] as const);

/**
 * A command that was decided and refused, deterministically: an answer, not an exception.
 *
 * `session-expired`: the session is not (or no longer) known here. `session-overrun`: the sequence is too far above
 * what the origin has acknowledged. `already-acknowledged`: the origin said it needs no answer any more. In all three
 * cases this attempt applied nothing.
 */
export class Fault {
  readonly code: FaultCode;

  constructor(code: FaultCode) {
    this.code = code;
  }
}

export type Reply = null | number | bigint | string | Fault | readonly Reply[];

/** One shared instance per code: a refusal allocates nothing. */
export const FAULTS: Readonly<Record<FaultCode, Fault>> = Object.freeze({
  "not-an-integer": new Fault("not-an-integer"),
  "not-a-float": new Fault("not-a-float"),
  "increment-overflow": new Fault("increment-overflow"),
  "increment-nan": new Fault("increment-nan"),
  "value-too-large": new Fault("value-too-large"),
  "no-such-key": new Fault("no-such-key"),
  "wrong-type": new Fault("wrong-type"),
  "shard-full": new Fault("shard-full"),
  "session-expired": new Fault("session-expired"),
  "session-overrun": new Fault("session-overrun"),
  "already-acknowledged": new Fault("already-acknowledged"),
});
