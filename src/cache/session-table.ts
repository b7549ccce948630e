/**
 * All sessions of a shard. Bounded: beyond the limit the one that has been silent longest is forgotten, by the index of
 * the entries it spoke in and never by a clock, so that every replica forgets the same one.
 */
import { assert } from "../base/assert.ts";
import type { BootNonce, NodeId } from "../base/ids.ts";
import { Session } from "./session.ts";

export class SessionTable {
  readonly #sessionsMax: number;
  readonly #sessions = new Map<number, Session>();
  /** Highest id given out; 0 before the first. Ids are never given twice. */
  #lastId = 0;
  /** The session found last: commands of one entry mostly share it. */
  #recent: Session | undefined = undefined;

  constructor(sessionsMax: number) {
    this.#sessionsMax = sessionsMax;
  }

  get size(): number {
    return this.#sessions.size;
  }

  get lastId(): number {
    return this.#lastId;
  }

  find(id: number): Session | undefined {
    const recent = this.#recent;
    if (recent !== undefined && recent.id === id) return recent;
    const session = this.#sessions.get(id);
    if (session !== undefined) this.#recent = session;
    return session;
  }

  /** Opens a session in the entry at `index`. Its id is that index, or the next free number when one entry opens several. */
  open(node: NodeId, boot: BootNonce, index: number): Session {
    if (this.#sessions.size >= this.#sessionsMax) this.#forgetLeastRecentlyUsed();
    this.#lastId = Math.max(index, this.#lastId + 1);
    const session = new Session(this.#lastId, node, boot, index);
    this.#sessions.set(session.id, session);
    return session;
  }

  /** Puts back a session of a snapshot. They come by ascending id. */
  restore(session: Session): void {
    assert(!this.#sessions.has(session.id), "a session is restored once", { id: session.id });
    this.#sessions.set(session.id, session);
  }

  /** Sets the highest id ever given out, from a snapshot. */
  restoreLastId(lastId: number): void {
    this.#lastId = lastId;
  }

  /** By ascending id. */
  values(): IterableIterator<Session> {
    return this.#sessions.values();
  }

  #forgetLeastRecentlyUsed(): void {
    let oldest: Session | undefined;
    for (const session of this.#sessions.values()) {
      if (oldest === undefined || session.lastUsedIndex < oldest.lastUsedIndex) oldest = session;
    }
    if (oldest === undefined) return;
    this.#sessions.delete(oldest.id);
    if (this.#recent === oldest) this.#recent = undefined;
  }
}
