/**
 * What a replicated group drives: something that turns committed bytes into state and answers.
 * Raft orders the bytes, the machine gives them meaning, and neither knows the other.
 */
import type { LogIndex } from "../base/ids.ts";

/** A state at one log index as bytes, taken a slice at a time while later entries go on being applied. */
export interface SnapshotSource {
  /** The next slice of about `maxBytes`, or null after the last. A view that is valid until the next call: what outlives that is copied. */
  next(maxBytes: number): Uint8Array | null;
  /** Lets go of what the snapshot pins. Idempotent. */
  close(): void;
}

/** A state arriving as bytes. Nothing of the machine changes before `install`. */
export interface SnapshotSink {
  /** Throws `WireError` when the bytes are damaged. `slice` may be a view: what outlives the call is copied. */
  write(slice: Uint8Array): void;
  /** Checks that everything arrived. Throws `WireError` otherwise. */
  finish(): void;
  /** Replaces the machine's state, at once. Only after `finish`. */
  install(): void;
}

export interface StateMachine<Result> {
  /** Applies one batch; deterministic. Answers the results in the order of its commands. */
  apply(index: LogIndex, data: Uint8Array): readonly Result[];
  /** Stamp of the newest batch applied, in milliseconds of machine time. @see machine-clock.ts */
  readonly timeMs: number;
  /** Bytes of a snapshot of it, roughly; 0 where that is always little. */
  readonly sizeBytes: number;
  beginSnapshot(): SnapshotSource;
  beginRestore(): SnapshotSink;
}

export type ProposalFailure = "not-leader" | "busy" | "disk-full" | "unknown";

/** Where the outcome of one proposed command goes. Exactly one of the two is called, once. */
export interface ProposalSink<Result> {
  applied(result: Result): void;
  /**
   * `not-leader`, `busy` and `disk-full`: it was not appended and never will be.
   * `unknown`: it was appended, but this node lost the right to say what became of it.
   */
  dropped(why: ProposalFailure): void;
}

/** Where the permission for one linearizable read goes. Exactly one of the two is called, once. */
export interface ReadSink {
  /** The machine now holds everything that was committed when the read was asked. Query it before returning. */
  granted(): void;
  lost(): void;
}
