/**
 * Linearizable reads without writing to the log. A read may be answered at the commit index of the moment, once a
 * quorum has confirmed that no newer leader existed after the read was asked. One heartbeat round confirms every
 * read asked before it went out; reads asked while a round is under way wait together for the next one.
 * @see Raft §8, Raft dissertation §6.4
 */
import type { LogIndex } from "../base/ids.ts";
import type { ReadGrant } from "./ready.ts";

/** The reads of one leader in one term. Rounds are numbered 1, 2, 3, ...; 0 stands for none. */
export class ReadRounds {
  #waiting: number[] = [];
  #underWay: number[] = [];
  #underWayIndex: LogIndex | null = null;
  #underWayRound = 0;
  #lastRound = 0;

  /** The latest round that was begun. */
  get lastRound(): number {
    return this.#lastRound;
  }

  /** The round that heartbeats have to carry until it is confirmed; 0 when none. */
  get underWayRound(): number {
    return this.#underWayRound;
  }

  /** Reads wait and no round is under way. */
  get startDue(): boolean {
    return this.#waiting.length > 0 && this.#underWayRound === 0;
  }

  get empty(): boolean {
    return this.#waiting.length === 0 && this.#underWayRound === 0;
  }

  ask(context: number): void {
    this.#waiting.push(context);
  }

  /** Numbers a round that no read waits for: the lease uses it to date the answers to heartbeats. */
  number(): number {
    this.#lastRound++;
    return this.#lastRound;
  }

  /** Begins a round for all reads that wait. `commit` is read after they were asked, so it is late enough for each. */
  start(commit: LogIndex): number {
    this.#underWay = this.#waiting;
    this.#underWayIndex = commit;
    this.#underWayRound = this.number();
    this.#waiting = [];
    return this.#underWayRound;
  }

  /** A quorum has answered every round up to `round`. Adds the reads it confirms to `granted`. */
  confirm(round: number, granted: ReadGrant[]): void {
    const index = this.#underWayIndex;
    if (index === null || round < this.#underWayRound) return;
    for (const context of this.#underWay) granted.push({ context, index });
    this.#underWay = [];
    this.#underWayIndex = null;
    this.#underWayRound = 0;
  }

  /** The leader stopped leading: adds every read not granted to `lost`. */
  drop(lost: number[]): void {
    for (const context of this.#underWay) lost.push(context);
    for (const context of this.#waiting) lost.push(context);
    this.#underWay = [];
    this.#waiting = [];
    this.#underWayIndex = null;
    this.#underWayRound = 0;
  }
}
