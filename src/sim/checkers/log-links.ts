/**
 * Every entry that any log of a group ever held, by index and term, each with the term of the entry before it. By the Log
 * Matching property that is all one needs: whoever knows the last index and term of a log can walk back through all of it,
 * also through the log of a replica that has just come back from its disk.
 * @see Raft Figure 3, Log Matching
 */
import { IndexTail } from "./index-tail.ts";

export interface Link {
  readonly term: number;
  /** Term of the entry before; null when it was not known. */
  readonly previousTerm: number | null;
  readonly checksum: number;
  /** Name of the life in which it was seen first. */
  readonly seenIn: string;
  /** Another entry of the same index. */
  readonly other: Link | null;
}

export class LogLinks {
  readonly #links = new IndexTail<Link>();

  find(index: number, term: number): Link | null {
    let link = this.#links.get(index) ?? null;
    while (link !== null && link.term !== term) link = link.other;
    return link;
  }

  /** Adds an entry that {@link find} does not know. */
  add(index: number, term: number, previousTerm: number | null, checksum: number, seenIn: string): void {
    const other = this.#links.get(index) ?? null;
    this.#links.set(index, { term, previousTerm, checksum, seenIn, other });
  }

  /** The term at `index` in the log that ends in (`lastIndex`, `lastTerm`); null when it cannot be known. */
  termAt(index: number, lastIndex: number, lastTerm: number): number | null {
    let term: number | null = lastTerm;
    for (let at = lastIndex; at > index && term !== null; at--)
      term = this.find(at, term)?.previousTerm ?? null;
    return index <= lastIndex ? term : null;
  }
}
