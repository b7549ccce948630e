/**
 * The five properties of Raft Figure 3, checked from outside over everything that ever happened in one history.
 * It keeps its own idea of every log, from what the replicas asked to persist.
 */
import { assert } from "../../src/base/assert.ts";
import type { Entry } from "../../src/raft/entry.ts";
import type { RaftMessage } from "../../src/raft/messages.ts";
import type { Ready } from "../../src/raft/ready.ts";
import type { Applied, Host } from "./cluster.ts";
import { textOf } from "./cluster.ts";

interface Mirror {
  base: number;
  /** Terms by index, from the base on. */
  terms: Map<number, number>;
  last: number;
}

interface Committed {
  readonly term: number;
  /** Some replica knew of the commitment in this term: leaders of later terms must hold the entry. */
  readonly knownInTerm: number;
}

export class Safety {
  readonly #leaderOfTerm = new Map<number, number>();
  readonly #votes = new Map<string, string>();
  /** What an entry of this index and term contains, and the term before it. */
  readonly #entries = new Map<string, string>();
  readonly #appliedAt = new Map<number, string>();
  readonly #committed = new Map<number, Committed>();
  readonly #mirrors = new Map<number, Mirror>();
  readonly #seen = new Map<number, { term: number; commit: number; leading: number }>();
  /** The highest index known to be committed anywhere. */
  committedIndex = 0;

  /** The host started, for the first time or again, from its disk. */
  started(host: Host): void {
    const { base, entries } = host.disk;
    const mirror: Mirror = { base: base.index, terms: new Map([[base.index, base.term]]), last: base.index };
    for (const entry of entries) {
      mirror.terms.set(entry.index, entry.term);
      mirror.last = entry.index;
    }
    this.#mirrors.set(host.number, mirror);
    const before = this.#seen.get(host.number);
    const term = host.raft.term;
    assert(before === undefined || host.tombstone !== null || term >= 0, "a host has a term");
    this.#seen.set(host.number, { term, commit: 0, leading: 0 });
  }

  /** What a host handed out. */
  handedOut(host: Host, ready: Ready): void {
    const mirror = this.#mirror(host);
    const { persist } = ready;
    if (persist?.snapshot) {
      const { index, term } = persist.snapshot;
      mirror.base = index;
      mirror.terms = new Map([[index, term]]);
      mirror.last = index;
    }
    for (const entry of persist?.entries ?? []) this.#appended(mirror, entry);
    for (const message of ready.messages) this.#sent(message);
    for (const entry of ready.committed) this.#applied(entry, host);
  }

  /** After every step: what a host is now. */
  check(host: Host): void {
    const { raft } = host;
    const seen = this.#seen.get(host.number);
    assert(seen !== undefined, "the host was announced");
    assert(raft.term >= seen.term, "a term never goes back", { host: host.number });
    assert(raft.commit >= seen.commit, "a commit index never goes back", { host: host.number });
    seen.term = raft.term;
    seen.commit = raft.commit;
    if (raft.commit > this.committedIndex) this.committedIndex = raft.commit;
    // What was not handed out yet is not in the mirror.
    if (raft.hasReady()) return;
    if (raft.role === "leader") this.#checkLeader(host, seen);
    const mirror = this.#mirror(host);
    const known = Math.min(raft.commit, mirror.last);
    for (let index = Math.max(mirror.base, 1); index <= known; index++) {
      const term = mirror.terms.get(index);
      assert(term !== undefined, "the mirror is complete", { index });
      const committed = this.#committed.get(index);
      if (committed === undefined) {
        this.#committed.set(index, { term, knownInTerm: raft.term });
      } else {
        assert(committed.term === term, "committed entries are never overwritten", { index, term });
        if (committed.knownInTerm > raft.term) this.#committed.set(index, { term, knownInTerm: raft.term });
      }
    }
  }

  /** A read may not miss what was committed anywhere when it was asked. */
  readGranted(committedWhenAsked: number, index: number): void {
    assert(index >= committedWhenAsked, "a linearizable read sees all that was committed before it", {
      committedWhenAsked,
      index,
    });
  }

  /** Two state machines never differ in what they hold. */
  sameState(state: readonly Applied[]): void {
    for (const applied of state) this.#sameAt(applied.index, `${applied.term}/${applied.text}`);
  }

  #checkLeader(host: Host, seen: { leading: number }): void {
    const { raft } = host;
    const other = this.#leaderOfTerm.get(raft.term);
    assert(other === undefined || other === host.number, "a term has one leader", { term: raft.term });
    this.#leaderOfTerm.set(raft.term, host.number);
    if (seen.leading === raft.term) return;
    seen.leading = raft.term;
    const mirror = this.#mirror(host);
    for (const [index, { term, knownInTerm }] of this.#committed) {
      if (knownInTerm >= raft.term || index < mirror.base) continue;
      assert(mirror.terms.get(index) === term, "a leader holds every entry committed before its term", {
        leader: host.number,
        term: raft.term,
        index,
      });
    }
  }

  #appended(mirror: Mirror, entry: Entry): void {
    const { index, term } = entry;
    const previousTerm = mirror.terms.get(index - 1);
    assert(previousTerm !== undefined, "a log has no gaps", { index });
    for (let above = index; above <= mirror.last; above++) mirror.terms.delete(above);
    mirror.terms.set(index, term);
    mirror.last = index;
    const content = entry.kind === "data" ? textOf(entry.data) : entry.kind;
    const whole = `${previousTerm}|${content}`;
    const known = this.#entries.get(`${index}/${term}`);
    assert(
      known === undefined || known === whole,
      "entries of equal index and term are equal, and so is what precedes them",
      {
        index,
        term,
        known,
        whole,
      },
    );
    this.#entries.set(`${index}/${term}`, whole);
  }

  #sent(message: RaftMessage): void {
    if (message.type !== "vote-response" || !message.granted) return;
    const key = `${message.from}/${message.term}`;
    const given = this.#votes.get(key);
    assert(given === undefined || given === message.to, "a replica votes once per term", {
      key,
      to: message.to,
    });
    this.#votes.set(key, message.to);
  }

  #applied(entry: Entry, host: Host): void {
    const text = entry.kind === "data" ? textOf(entry.data) : entry.kind;
    assert(host.raft.commit >= entry.index, "only what is committed is applied", { index: entry.index });
    const { base, entries } = host.disk;
    const durable = base.index >= entry.index || entries[entry.index - base.index - 1]?.term === entry.term;
    assert(durable, "only what is durable here is handed out", { host: host.number, index: entry.index });
    this.#sameAt(entry.index, `${entry.term}/${text}`);
  }

  #sameAt(index: number, content: string): void {
    const known = this.#appliedAt.get(index);
    assert(
      known === undefined || known === content,
      "state machines apply the same entry at the same index",
      {
        index,
        known,
        content,
      },
    );
    this.#appliedAt.set(index, content);
  }

  #mirror(host: Host): Mirror {
    const mirror = this.#mirrors.get(host.number);
    assert(mirror !== undefined, "the host was announced");
    return mirror;
  }
}
