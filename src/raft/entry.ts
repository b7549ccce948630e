/**
 * What a log is made of. The core never looks into `data`: bytes are opaque to consensus.
 */
import type { LogIndex, Term } from "../base/ids.ts";
import type { Configuration } from "./configuration.ts";

/** A leader appends one of these first, so that entries of older terms commit by Raft §5.4.2. */
export interface NoopEntry {
  readonly kind: "noop";
  readonly index: LogIndex;
  readonly term: Term;
}

/** What the state machine applies. Encoded once, by whoever proposed it; the same bytes serve log and followers. */
export interface DataEntry {
  readonly kind: "data";
  readonly index: LogIndex;
  readonly term: Term;
  readonly data: Uint8Array;
}

/** The whole configuration that is in force from this entry on. @see Raft §6 */
export interface MembershipEntry {
  readonly kind: "membership";
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

export type Entry = NoopEntry | DataEntry | MembershipEntry;
