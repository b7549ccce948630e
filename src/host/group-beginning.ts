/**
 * Where a replica begins: founding its group, empty until a leader fills it, or where a former life of this node left it.
 */
import { logIndex, type NodeId, term } from "../base/ids.ts";
import { type Configuration, EMPTY_CONFIGURATION } from "../raft/configuration.ts";
import type { HardState } from "../raft/ready.ts";
import type { LogBase } from "./ports.ts";
import type { StateMachine } from "./state-machine.ts";

/** How a replica begins. `voters`: this group has never existed before. Else it waits for a leader to fill it. */
export interface GroupStart {
  readonly voters: readonly NodeId[];
  /** It is founded again although this node destroyed a replica of it: nobody is left who could fill it. @see raft/forced.ts */
  readonly again?: boolean;
}

/** What the log of a replica stands on before its first entry. */
export interface Beginning {
  readonly base: LogBase;
  readonly hardState: HardState;
}

/** The log of a new group begins behind this entry, which stands for the founding configuration. */
const FOUNDING_INDEX = logIndex(1);
const FOUNDING_TERM = term(1);
/** Bytes of one slice of a checkpoint, about. */
export const CHECKPOINT_SLICE_BYTES = 256 * 1024;

/** Nobody founds a group twice: with a tombstone the replica is empty, whoever else founds. */
export function beginningOf(start: GroupStart, hasTombstone: boolean): Beginning {
  const founding = start.voters.length > 0 && !hasTombstone;
  const index = founding ? FOUNDING_INDEX : logIndex(0);
  const at = founding ? FOUNDING_TERM : term(0);
  const configuration = founding ? foundingConfiguration(start.voters) : EMPTY_CONFIGURATION;
  return { base: { index, term: at, configuration }, hardState: { term: at, vote: null, commit: index } };
}

/** The whole machine at once: for one that was just made, and so is small. */
export function checkpointNow(machine: StateMachine<unknown>): readonly Uint8Array[] | null {
  const slices: Uint8Array[] = [];
  const source = machine.beginSnapshot();
  for (let slice = source.next(CHECKPOINT_SLICE_BYTES); slice !== null; ) {
    slices.push(new Uint8Array(slice));
    slice = source.next(CHECKPOINT_SLICE_BYTES);
  }
  source.close();
  return slices.length === 0 ? null : slices;
}

/** Puts the state of `checkpoint` into `machine`, which was just made. Throws when it cannot be read. */
export function restoreCheckpoint(
  machine: StateMachine<unknown>,
  checkpoint: Iterable<Uint8Array> | null,
): void {
  if (checkpoint === null) return;
  const sink = machine.beginRestore();
  for (const slice of checkpoint) sink.write(slice);
  sink.finish();
  sink.install();
}

function foundingConfiguration(voters: readonly NodeId[]): Configuration {
  return { ...EMPTY_CONFIGURATION, voters: [...new Set(voters)].sort() };
}
