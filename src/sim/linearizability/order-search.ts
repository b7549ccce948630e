/**
 * Looks for an order of the operations on one key that the key's model accepts and real time allows: the search of Wing
 * and Gong, with Lowe's memory of configurations seen. It goes deep first and tries completed operations before it
 * assumes that an open one was applied or that the key expired, so a history that is right is found right almost
 * straight away; only a wrong one is searched to the end.
 *
 * @see Wing, Gong: Testing and Verifying Concurrent Objects (1993)
 * @see Lowe: Testing for Linearizability (2017)
 */
import { ConfigurationMemo } from "./configuration-memo.ts";
import { at, type KeyState, removed, step } from "./key-model.ts";
import { type Ceiling, ceilings, ValueDemand } from "./lookahead.ts";
import { applicableRuns, type OpenRun, openRuns } from "./open-operations.ts";
import {
  type CompletedOperation,
  isCompleted,
  isPassive,
  isRead,
  type Operation,
  observedValue,
} from "./operation.ts";
import { PlacedSet, type UnplacedQueue } from "./placed-set.ts";

export interface SearchLimits {
  /** How much earlier than its time a key may expire, in milliseconds. */
  readonly toleranceMs: number;
  /** Configurations after which the search gives up. */
  readonly configurationsMax: number;
}

export interface SearchOutcome {
  readonly type: "linearizable" | "violation" | "undecided";
  /** Distinct configurations that were looked at. */
  readonly configurations: number;
  /** The latest answer that some order of all before it could not get past; -Infinity when there was none. */
  readonly stuckAtMs: number;
}

/** What to do next. Neither operation nor run: the key expires. */
interface Move {
  readonly next: KeyState;
  /** Index of a completed operation, or -1. */
  readonly completed: number;
  /** Index of a run of open operations, or -1. */
  readonly run: number;
}

interface Frame {
  readonly state: KeyState;
  readonly moves: readonly Move[];
  /** The move to try next. */
  at: number;
  /** Operations placed before this frame was entered, for undoing it. */
  readonly placedBefore: number;
  /** The run whose operation led here, or -1. */
  readonly run: number;
}

/**
 * One search. `repeatable`: open writes whose values nobody read may be applied again and again; then a violation is one,
 * but an order proves nothing.
 */
export class OrderSearch {
  readonly #starts: readonly KeyState[];
  readonly #limits: SearchLimits;
  readonly #completed: readonly CompletedOperation[];
  readonly #placed: PlacedSet;
  readonly #runs: readonly OpenRun[];
  readonly #openApplied: Int32Array;
  readonly #demand: ValueDemand;
  readonly #ceilings: readonly { readonly ceiling: Ceiling; readonly queue: UnplacedQueue }[];
  readonly #memo: ConfigurationMemo;
  readonly #stack: Frame[] = [];
  /** Open writes that nobody read may be applied again and again. */
  readonly #repeatable: boolean;
  #configurations = 0;
  #stuckAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    operations: readonly Operation[],
    starts: readonly KeyState[],
    limits: SearchLimits,
    repeatable: boolean,
  ) {
    const completed = operations.filter(isCompleted);
    completed.sort((left, right) => left.invokedAtMs - right.invokedAtMs || left.id - right.id);
    // An open read says nothing, and whether it was ever answered changes nothing.
    const open = operations.filter((each) => !isCompleted(each) && !isRead(each));
    this.#starts = starts;
    this.#limits = limits;
    this.#completed = completed;
    this.#placed = new PlacedSet(completed);
    const read = new Set(completed.flatMap((each) => observedValue(each) ?? []));
    this.#runs = openRuns(open, read, limits.toleranceMs);
    this.#repeatable = repeatable;
    this.#openApplied = new Int32Array(this.#runs.length);
    this.#demand = new ValueDemand([...completed, ...open]);
    this.#ceilings = ceilings(completed, open, starts).map((ceiling) => ({
      ceiling,
      queue: this.#placed.queue(ceiling.order),
    }));
    const usedUp = this.#runs.flatMap((_, run) => (this.#isUsedUp(run) ? [run] : []));
    this.#memo = new ConfigurationMemo(this.#runs, usedUp);
  }

  run(): SearchOutcome {
    for (const start of this.#starts) {
      if (this.#configurations >= this.#limits.configurationsMax) return this.#outcome("undecided");
      if (!this.#demand.canStart(start.value)) continue;
      if (this.#enter(start, -1, 0) || this.#explore()) return this.#outcome("linearizable");
      if (this.#stack.length > 0) return this.#outcome("undecided");
    }
    return this.#outcome("violation");
  }

  /** Tries every move from the frames on the stack; true when all completed operations have been placed. */
  #explore(): boolean {
    for (let frame = this.#stack.at(-1); frame !== undefined; frame = this.#stack.at(-1)) {
      if (this.#configurations >= this.#limits.configurationsMax) return false;
      const move = frame.moves[frame.at++];
      if (move === undefined) {
        this.#stack.pop();
        this.#undo(frame.placedBefore, frame.run);
      } else if (this.#make(move, frame.state)) return true;
    }
    return false;
  }

  #make(move: Move, before: KeyState): boolean {
    const placedBefore = this.#placed.size;
    if (move.completed >= 0) this.#place(move.completed);
    const run = move.run >= 0 && this.#isUsedUp(move.run) ? move.run : -1;
    if (run >= 0) this.#applyOpen(run);
    if (this.#demand.canMove(before.value, move.next.value)) {
      return this.#enter(move.next, run, placedBefore);
    }
    this.#undo(placedBefore, run);
    return false;
  }

  /** Opens a frame for the state `reached` unless it is hopeless or was seen; true when nothing is left to place. */
  #enter(reached: KeyState, run: number, placedBefore: number): boolean {
    this.#placeWhatChangesNothing(reached);
    if (this.#placed.isFull) return true;
    const deadlineMs = this.#placed.deadlineMs();
    const state = at(deadlineMs, reached);
    if (
      !this.#isBelowCeilings(state) ||
      !this.#memo.add(this.#placed.key(), deadlineMs, state, this.#openApplied)
    ) {
      this.#undo(placedBefore, run);
      return false;
    }
    this.#configurations++;
    this.#stuckAtMs = Math.max(this.#stuckAtMs, deadlineMs);
    this.#stack.push({ state, moves: this.#moves(state), at: 0, placedBefore, run });
    return false;
  }

  /**
   * Places every operation that may come now, got an answer that fits `state`, and neither changes it nor teaches
   * anything about it. An order that places it later can place it here as well: no other order need be tried.
   */
  #placeWhatChangesNothing(state: KeyState): void {
    for (let again = true; again; ) {
      again = false;
      for (const index of this.#placed.candidates()) {
        const operation = this.#completed[index] as CompletedOperation;
        if (!isPassive(operation) || step(state, operation) !== state) continue;
        this.#place(index);
        again = true;
      }
    }
  }

  #moves(state: KeyState): Move[] {
    const { toleranceMs } = this.#limits;
    const moves: Move[] = [];
    for (const index of this.#placed.candidates()) {
      const next = step(state, this.#completed[index] as CompletedOperation, toleranceMs);
      if (next !== null) moves.push({ next, completed: index, run: -1 });
    }
    const deadlineMs = this.#placed.deadlineMs();
    if (state.expiresAtMs <= deadlineMs) moves.push({ next: removed(state), completed: -1, run: -1 });
    for (const run of applicableRuns(this.#runs, this.#openApplied, deadlineMs)) {
      const operation = this.#runs[run]?.operations[this.#openApplied[run] as number] as Operation;
      const next = step(state, operation, toleranceMs);
      if (next !== null) moves.push({ next, completed: -1, run });
    }
    return moves;
  }

  #isBelowCeilings(state: KeyState): boolean {
    for (const { ceiling, queue } of this.#ceilings) {
      const lowest = queue.first();
      if (lowest !== undefined && ceiling.level(state) > (ceiling.limits[lowest] as number)) return false;
    }
    return true;
  }

  #place(index: number): void {
    this.#placed.add(index);
    this.#demand.place(this.#completed[index] as CompletedOperation);
  }

  /** Whether an operation of this run counts as applied once it is. */
  #isUsedUp(run: number): boolean {
    return !this.#repeatable || this.#runs[run]?.isTelling === true;
  }

  #applyOpen(run: number): void {
    const applied = this.#openApplied[run] as number;
    this.#openApplied[run] = applied + 1;
    this.#demand.place(this.#runs[run]?.operations[applied] as Operation);
  }

  #undo(placedBefore: number, run: number): void {
    while (this.#placed.size > placedBefore) {
      this.#demand.lift(this.#completed[this.#placed.removeLast()] as CompletedOperation);
    }
    if (run < 0) return;
    const applied = (this.#openApplied[run] as number) - 1;
    this.#openApplied[run] = applied;
    this.#demand.lift(this.#runs[run]?.operations[applied] as Operation);
  }

  #outcome(type: SearchOutcome["type"]): SearchOutcome {
    return { type, configurations: this.#configurations, stuckAtMs: this.#stuckAtMs };
  }
}
