/**
 * Everybody this member knows, itself excepted: by id, by address, and as dense lists to draw from at random.
 * It stores and finds; what a claim does to a member is decided in `membership.ts`.
 */
import { type Address, formatAddress } from "../base/address.ts";
import { assert } from "../base/assert.ts";
import type { NodeId } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import { isLiving, type Member } from "./member.ts";

interface Slot {
  member: Member;
  /** Index in the list of its state: living, dead or left. */
  position: number;
}

interface Grave {
  readonly incarnation: number;
  readonly untilMs: number;
}

/** The members known, at most `capacity`, and the graves of those who were removed. */
export class MemberTable {
  readonly #capacity: number;
  readonly #slots = new Map<NodeId, Slot>();
  readonly #living: Slot[] = [];
  readonly #dead: Slot[] = [];
  readonly #left: Slot[] = [];
  /** Living members by `host:port`. */
  readonly #byAddress = new Map<string, NodeId>();
  /** Removed members, in the order of their removal. */
  readonly #graves = new Map<NodeId, Grave>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Members known, dead and left included. */
  get size(): number {
    return this.#slots.size;
  }

  get livingCount(): number {
    return this.#living.length;
  }

  get deadCount(): number {
    return this.#dead.length;
  }

  get(id: NodeId): Member | undefined {
    return this.#slots.get(id)?.member;
  }

  *all(): IterableIterator<Member> {
    for (const slot of this.#slots.values()) yield slot.member;
  }

  /** The living member that listens at `address`. */
  livingAt(address: Address): Member | undefined {
    const id = this.#byAddress.get(formatAddress(address));
    return id === undefined ? undefined : this.get(id);
  }

  /**
   * Inserts or replaces. A full table forgets the member that left, or died, the longest ago to make room;
   * false when all live and `member` was not taken.
   */
  set(member: Member): boolean {
    const slot = this.#slots.get(member.id);
    if (slot !== undefined) {
      this.#unlink(slot);
      slot.member = member;
      this.#link(slot);
      return true;
    }
    if (this.#slots.size >= this.#capacity) {
      const forgettable = oldest(this.#left) ?? oldest(this.#dead);
      if (forgettable === undefined) return false;
      this.remove(forgettable.id);
    }
    const added: Slot = { member, position: 0 };
    this.#slots.set(member.id, added);
    this.#graves.delete(member.id);
    this.#link(added);
    return true;
  }

  remove(id: NodeId): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#unlink(slot);
    this.#slots.delete(id);
  }

  /** Remembers that `id` is gone for good at `incarnation`, until `untilMs`: older claims do not bring it back. */
  bury(id: NodeId, incarnation: number, untilMs: number): void {
    this.#graves.delete(id);
    this.#graves.set(id, { incarnation, untilMs });
    if (this.#graves.size <= this.#capacity) return;
    for (const first of this.#graves.keys()) {
      this.#graves.delete(first);
      return;
    }
  }

  /** The incarnation at which `id` was buried; -1 when it was not. */
  buriedAt(nowMs: number, id: NodeId): number {
    const grave = this.#graves.get(id);
    if (grave === undefined) return -1;
    if (grave.untilMs > nowMs) return grave.incarnation;
    this.#graves.delete(id);
    return -1;
  }

  /** Turns members that left before `beforeMs` into graves until `untilMs`. */
  reapLeft(beforeMs: number, untilMs: number): void {
    for (const slot of [...this.#left]) {
      if (slot.member.stateChangedAtMs > beforeMs) continue;
      this.remove(slot.member.id);
      this.bury(slot.member.id, slot.member.incarnation, untilMs);
    }
  }

  /** Up to `count` distinct living members, drawn at random, `except` never among them. Costs O(count). */
  sampleLiving(random: Random, count: number, except: NodeId | null = null): Member[] {
    const drawn: Member[] = [];
    const living = this.#living;
    for (let at = 0; at < living.length && drawn.length < count; at++) {
      this.#swapLiving(at, at + random.nextBelow(living.length - at));
      const { member } = living[at] as Slot;
      if (member.id !== except) drawn.push(member);
    }
    return drawn;
  }

  /** A dead member whose address no living one has taken; undefined when there is none. */
  sampleDead(random: Random): Member | undefined {
    const count = this.#dead.length;
    const start = count === 0 ? 0 : random.nextBelow(count);
    for (let step = 0; step < count; step++) {
      const { member } = this.#dead[(start + step) % count] as Slot;
      if (this.livingAt(member.address) === undefined) return member;
    }
    return undefined;
  }

  #swapLiving(left: number, right: number): void {
    const a = this.#living[left] as Slot;
    const b = this.#living[right] as Slot;
    this.#living[left] = b;
    this.#living[right] = a;
    b.position = left;
    a.position = right;
  }

  #listOf(member: Member): Slot[] {
    if (isLiving(member)) return this.#living;
    return member.state === "dead" ? this.#dead : this.#left;
  }

  #link(slot: Slot): void {
    const list = this.#listOf(slot.member);
    slot.position = list.length;
    list.push(slot);
    if (isLiving(slot.member)) {
      const key = formatAddress(slot.member.address);
      assert(!this.#byAddress.has(key), "one living member for each address", { key });
      this.#byAddress.set(key, slot.member.id);
    }
  }

  #unlink(slot: Slot): void {
    const list = this.#listOf(slot.member);
    const last = list.pop() as Slot;
    if (last !== slot) {
      list[slot.position] = last;
      last.position = slot.position;
    }
    if (isLiving(slot.member)) this.#byAddress.delete(formatAddress(slot.member.address));
  }
}

/** The member of `slots` whose state changed first. */
function oldest(slots: readonly Slot[]): Member | undefined {
  let found: Member | undefined;
  for (const { member } of slots) {
    if (found === undefined || member.stateChangedAtMs < found.stateChangedAtMs) found = member;
  }
  return found;
}
