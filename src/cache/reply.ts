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
  | "session-expired"
  | "already-acknowledged";

/** A command that was decided and refused, deterministically: an answer, not an exception. */
export class Fault {
  readonly code: FaultCode;

  constructor(code: FaultCode) {
    this.code = code;
  }
}

export type Reply = null | number | bigint | string | Fault | readonly Reply[];
