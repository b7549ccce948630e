/**
 * The least that three nodes can do for a replicated command: whoever is asked passes it to the node that leads for its key, that one sends it to the
 * others, the first of them that has it makes it so, and the reply goes back. Everything of a turn that goes to the same place goes there in one write.
 *
 * There are no terms, elections, logs, sessions or expiries, no checks and no mercy: a node that dies takes the others with it. It shows what Node.js and
 * the kernel take for sockets and turns alone, so what a real node needs beyond that is its own.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { KEY_BYTES, VALUE_BYTES } from "../job.ts";
import type { BareDisk } from "./bare-disk.ts";
import { type Asked, BareDoor } from "./bare-door.ts";
import { BareLink } from "./bare-link.ts";
import { KEY_AT, leaderOf, PAIR_BYTES, readKey, readValue, VALUE_AT } from "./bare-records.ts";

const MESSAGE = { set: 1, get: 2, append: 3, appended: 4, stored: 5, found: 6 };
const SLOT_BYTES = 4;
const STORED = "+OK\r\n";

/** Whom a leader answers when the others have what it sent them. */
interface Origin {
  readonly node: number;
  readonly slot: number;
  /** null: it was stored. */
  readonly read: string | null;
}

/** What a leader has sent the others in one turn. */
interface Round {
  readonly number: number;
  readonly pairs: Buffer;
  readonly origins: readonly Origin[];
}

export class BareNode {
  readonly #self: number;
  readonly #nodes: number;
  readonly #disk: BareDisk | null;
  readonly #links: (BareLink | null)[];
  readonly #values = new Map<string, string>();
  /** Requests that other nodes have, by the number they are known by there. */
  readonly #slots: (Asked | null)[] = [];
  readonly #free: number[] = [];
  #origins: Origin[] = [];
  #pairs: Buffer;
  #pairBytes = 0;
  #roundDue = false;
  #rounds: Round[] = [];
  #roundNumber = 0;
  #durableRound = 0;
  #confirmedRound = 0;

  constructor(self: number, nodes: number, disk: BareDisk | null) {
    this.#self = self;
    this.#nodes = nodes;
    this.#disk = disk;
    this.#links = Array.from({ length: nodes }, () => null);
    this.#pairs = Buffer.allocUnsafeSlow(64 * 1024);
  }

  /** Whether all others are connected. */
  get isComplete(): boolean {
    return this.#links.filter((link) => link !== null).length === this.#nodes - 1;
  }

  link(node: number, socket: Socket): void {
    const link = new BareLink(socket, (type, bytes, at, end) => this.#hear(node, link, type, bytes, at, end));
    this.#links[node] = link;
  }

  client(socket: Socket): void {
    new BareDoor(socket, (asked, bytes, at, isSet) => this.#take(asked, bytes, at, isSet));
  }

  #take(asked: Asked, bytes: Buffer, at: number, isSet: boolean): void {
    const slot = this.#free.pop() ?? this.#slots.push(null) - 1;
    this.#slots[slot] = asked;
    const leader = leaderOf(bytes, at + KEY_AT, this.#nodes);
    if (leader === this.#self) {
      if (isSet) this.#lead(slot, leader, bytes, at + KEY_AT, at + VALUE_AT);
      else this.#leadRead(slot, leader, readKey(bytes, at + KEY_AT));
      return;
    }
    const link = this.#linkTo(leader);
    const body = SLOT_BYTES + (isSet ? PAIR_BYTES : KEY_BYTES);
    const message = link.message(isSet ? MESSAGE.set : MESSAGE.get, body);
    message.buffer.writeUInt32BE(slot, message.at);
    bytes.copy(message.buffer, message.at + SLOT_BYTES, at + KEY_AT, at + KEY_AT + KEY_BYTES);
    if (isSet)
      bytes.copy(
        message.buffer,
        message.at + SLOT_BYTES + KEY_BYTES,
        at + VALUE_AT,
        at + VALUE_AT + VALUE_BYTES,
      );
  }

  #hear(node: number, link: BareLink, type: number, bytes: Buffer, at: number, end: number): void {
    const slot = bytes.readUInt32BE(at);
    const body = at + SLOT_BYTES;
    switch (type) {
      case MESSAGE.set:
        this.#lead(slot, node, bytes, body, body + KEY_BYTES);
        return;
      case MESSAGE.get:
        this.#leadRead(slot, node, readKey(bytes, body));
        return;
      case MESSAGE.append: {
        this.#store(bytes, body, end);
        const confirm = () => {
          const message = link.message(MESSAGE.appended, SLOT_BYTES);
          message.buffer.writeUInt32BE(slot, message.at);
        };
        if (this.#disk === null) confirm();
        else this.#disk.append(bytes.subarray(body, end), confirm);
        return;
      }
      case MESSAGE.appended:
        this.#confirmedRound = Math.max(this.#confirmedRound, slot);
        this.#finishRounds();
        return;
      case MESSAGE.stored:
        this.#answer(slot, STORED);
        return;
      case MESSAGE.found:
        this.#answer(slot, bytes.toString("latin1", body, end));
        return;
      default:
        throw new Error(`a message of type ${type}`);
    }
  }

  #lead(slot: number, node: number, bytes: Buffer, keyAt: number, valueAt: number): void {
    if (this.#pairBytes + PAIR_BYTES > this.#pairs.length) {
      const larger = Buffer.allocUnsafeSlow(2 * this.#pairs.length);
      this.#pairs.copy(larger, 0, 0, this.#pairBytes);
      this.#pairs = larger;
    }
    bytes.copy(this.#pairs, this.#pairBytes, keyAt, keyAt + KEY_BYTES);
    bytes.copy(this.#pairs, this.#pairBytes + KEY_BYTES, valueAt, valueAt + VALUE_BYTES);
    this.#pairBytes += PAIR_BYTES;
    this.#origins.push({ node, slot, read: null });
    this.#dueRound();
  }

  #leadRead(slot: number, node: number, key: string): void {
    this.#origins.push({ node, slot, read: key });
    this.#dueRound();
  }

  #dueRound(): void {
    if (this.#roundDue) return;
    this.#roundDue = true;
    setImmediate(() => this.#beginRound());
  }

  /** Everything of this turn goes to the others. */
  #beginRound(): void {
    this.#roundDue = false;
    const pairs = Buffer.allocUnsafeSlow(this.#pairBytes);
    this.#pairs.copy(pairs, 0, 0, this.#pairBytes);
    const round = { number: ++this.#roundNumber, pairs, origins: this.#origins };
    this.#pairBytes = 0;
    this.#origins = [];
    this.#rounds.push(round);
    for (const link of this.#links) {
      if (link === null) continue;
      const message = link.message(MESSAGE.append, SLOT_BYTES + pairs.length);
      message.buffer.writeUInt32BE(round.number, message.at);
      pairs.copy(message.buffer, message.at + SLOT_BYTES);
    }
    if (this.#nodes === 1) this.#confirmedRound = round.number;
    const durable = () => {
      this.#durableRound = round.number;
      this.#finishRounds();
    };
    if (this.#disk === null) durable();
    else this.#disk.append(pairs, durable);
  }

  #finishRounds(): void {
    const done = Math.min(this.#durableRound, this.#confirmedRound);
    let finished = 0;
    for (const round of this.#rounds) {
      if (round.number > done) break;
      finished++;
      this.#store(round.pairs, 0, round.pairs.length);
      for (const { node, slot, read } of round.origins) this.#reply(node, slot, read);
    }
    if (finished > 0) this.#rounds.splice(0, finished);
  }

  #store(pairs: Buffer, from: number, to: number): void {
    for (let at = from; at < to; at += PAIR_BYTES)
      this.#values.set(readKey(pairs, at), readValue(pairs, at + KEY_BYTES));
  }

  #reply(node: number, slot: number, read: string | null): void {
    const text = read === null ? STORED : bulk(this.#values.get(read));
    if (node === this.#self) {
      this.#answer(slot, text);
      return;
    }
    const body = read === null ? 0 : text.length;
    const message = this.#linkTo(node).message(
      read === null ? MESSAGE.stored : MESSAGE.found,
      SLOT_BYTES + body,
    );
    message.buffer.writeUInt32BE(slot, message.at);
    if (body > 0) message.buffer.write(text, message.at + SLOT_BYTES, body, "latin1");
  }

  #answer(slot: number, reply: string): void {
    const asked = this.#slots[slot];
    if (asked === null || asked === undefined) throw new Error(`nobody waits at ${slot}`);
    this.#slots[slot] = null;
    this.#free.push(slot);
    asked.door.answer(asked, reply);
  }

  #linkTo(node: number): BareLink {
    const link = this.#links[node];
    if (link === null || link === undefined) throw new Error(`node ${node} is not connected`);
    return link;
  }
}

function bulk(value: string | undefined): string {
  return value === undefined ? "$-1\r\n" : `$${value.length}\r\n${value}\r\n`;
}
