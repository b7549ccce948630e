import { describe, expect, test } from "vitest";
import { groupId, logIndex, nodeId, term } from "../../src/base/ids.ts";
import { RaftOutbox } from "../../src/host/raft-outbox.ts";
import type { RaftMessage } from "../../src/raft/messages.ts";
import { ByteReader } from "../../src/wire/byte-reader.ts";
import { ByteSlab } from "../../src/wire/byte-slab.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { readRaftMessage } from "../../src/wire/raft-codec.ts";

const SELF = nodeId("1".repeat(16));
const PEER = nodeId("2".repeat(16));
const GROUP = groupId(3);
const envelope = { from: SELF, to: PEER, term: term(2) };

const heartbeat: RaftMessage = {
  type: "heartbeat",
  ...envelope,
  commit: logIndex(4),
  readRound: 7,
  quiesce: false,
};
const append = (entries: number): RaftMessage => ({
  type: "append-request",
  ...envelope,
  session: 1,
  previousIndex: logIndex(4),
  previousTerm: term(2),
  entries: Array.from({ length: entries }, (_, at) => ({
    kind: "noop",
    index: logIndex(5 + at),
    term: term(2),
  })),
  commit: logIndex(4),
});

/** A link that takes frames as long as it is `open`, and light ones as long as it is `ajar`. */
class Link {
  open = true;
  ajar = true;
  readonly frames: Uint8Array[] = [];
  #writer = new ByteWriter();

  beginFrame(_node: string, light: boolean): ByteWriter | null {
    if (!this.open && !(light && this.ajar)) return null;
    this.#writer = new ByteWriter();
    return this.#writer;
  }

  endFrame(): void {
    this.frames.push(this.#writer.copy());
  }

  get messages(): readonly RaftMessage[] {
    return this.frames.flatMap((frame) => {
      const reader = new ByteReader(frame);
      const messages: RaftMessage[] = [];
      while (reader.remaining > 0) {
        expect(reader.varint()).toBe(GROUP);
        messages.push(readRaftMessage(reader, SELF, PEER, new ByteSlab()));
      }
      return messages;
    });
  }
}

describe("the outbox of all groups", () => {
  test.each([
    ["that is open takes everything", true, true, [append(2), heartbeat, append(0)]],
    ["on which much waits takes what has no entries", false, true, [heartbeat, append(0)]],
    ["on which very much waits, or that is closed, takes nothing", false, false, []],
  ] as const)("a link %s", (_name, open, ajar, expected) => {
    const link = new Link();
    Object.assign(link, { open, ajar });
    const counters = { messagesSent: 0, messagesDropped: 0 };
    const outbox = new RaftOutbox(link, counters);
    for (const message of [append(2), heartbeat, append(0)]) outbox.post(GROUP, message);
    outbox.sendAll();
    expect(link.messages).toEqual(expected);
    expect(counters).toEqual({ messagesSent: expected.length, messagesDropped: 3 - expected.length });
    // What was dropped is not kept.
    link.open = true;
    outbox.sendAll();
    expect(link.messages).toEqual(expected);
  });
});
