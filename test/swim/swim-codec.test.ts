import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clusterId, nodeId } from "../../src/base/ids.ts";
import { memberMetaBytes } from "../../src/swim/member.ts";
import { messageBytes, PACKET_BYTES_MAX } from "../../src/swim/message-size.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import {
  decodePacket,
  decodeStateExchange,
  EncryptedGossipError,
  encodePacket,
  encodeStateExchange,
} from "../../src/wire/swim-codec.ts";
import { WireError } from "../../src/wire/wire-error.ts";
import { anyMessage, anyMeta, anyPacket, anyState } from "./arbitraries.ts";

const HEADER_BYTES = 20;
const SENDER = nodeId("00112233aabbccdd");

describe("a datagram", () => {
  it("comes back as it went out", () => {
    fc.assert(
      fc.property(anyPacket, (packet) => {
        const bytes = encodePacket(packet);
        fc.pre(bytes.length <= PACKET_BYTES_MAX);
        expect(decodePacket(bytes)).toEqual(packet);
      }),
    );
  });

  it("begins with the magic, the version, no flags, the cluster and the sender", () => {
    const packet = { sender: SENDER, clusterId: clusterId("0123456789abcdef"), messages: [] };
    expect(Buffer.from(encodePacket(packet)).toString("hex")).toBe(
      "435201000123456789abcdef00112233aabbccdd",
    );
  });

  it("never takes more bytes than the core counts for its messages", () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const bytes = encodePacket({ sender: SENDER, clusterId: null, messages: [message] });
        const counted = messageBytes(message);
        expect(bytes.length - HEADER_BYTES).toBeLessThanOrEqual(counted);
        // Nor are they counted wastefully: two bytes of slack in lengths at most.
        expect(bytes.length - HEADER_BYTES).toBeGreaterThanOrEqual(counted - 2);
      }),
    );
  });

  it("carries metadata in exactly the bytes the core counts", () => {
    fc.assert(
      fc.property(anyMeta, (meta) => {
        const bytes = encodePacket({
          sender: SENDER,
          clusterId: null,
          messages: [{ type: "alive", incarnation: 0, meta }],
        });
        expect(bytes.length - HEADER_BYTES - 2).toBe(memberMetaBytes(meta));
      }),
    );
  });

  it("of random bytes is a wire error and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => decodePacket(bytes)).toThrow(WireError);
      }),
    );
  });

  it("with a valid header and a random body decodes or is a wire error", () => {
    const header = encodePacket({ sender: SENDER, clusterId: null, messages: [] });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        onlyWireErrors(() => decodePacket(Buffer.concat([header, body])));
      }),
      { numRuns: 2_000 },
    );
  });

  it("with any byte changed decodes or is a wire error", () => {
    fc.assert(
      fc.property(anyPacket, fc.nat(), fc.integer({ min: 1, max: 255 }), (packet, at, flip) => {
        const bytes = encodePacket(packet);
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ flip;
        onlyWireErrors(() => decodePacket(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it("cut short within its last message is a wire error", () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), (message, at) => {
        const bytes = encodePacket({ sender: SENDER, clusterId: null, messages: [message] });
        fc.pre(bytes.length <= PACKET_BYTES_MAX);
        const cut = HEADER_BYTES + 1 + (at % (bytes.length - HEADER_BYTES - 1));
        expect(() => decodePacket(bytes.subarray(0, cut))).toThrow(WireError);
      }),
    );
  });

  it("above 1,400 bytes is refused", () => {
    expect(() => decodePacket(new Uint8Array(PACKET_BYTES_MAX + 1))).toThrow(/too large/);
  });

  it("that is encrypted is refused by its own error", () => {
    const bytes = encodePacket({ sender: SENDER, clusterId: null, messages: [] });
    bytes[3] = 1;
    expect(() => decodePacket(bytes)).toThrow(EncryptedGossipError);
  });

  it.each([
    ["magic", 0, "not gossip"],
    ["version", 2, "gossip version 7"],
    ["flags", 3, "unknown flags 6"],
  ])("with another %s is refused", (_name, at, problem) => {
    const bytes = encodePacket({ sender: SENDER, clusterId: null, messages: [] });
    bytes[at] = at === 3 ? 6 : 7;
    expect(() => decodePacket(bytes)).toThrow(problem);
  });

  it("does not pin the buffer it came in", () => {
    const message = {
      type: "rumour" as const,
      key: "k",
      version: 1,
      origin: SENDER,
      payload: Uint8Array.of(1, 2),
    };
    const bytes = encodePacket({ sender: SENDER, clusterId: null, messages: [message] });
    const [decoded] = decodePacket(bytes).messages;
    expect(decoded?.type === "rumour" && decoded.payload.buffer.byteLength).toBe(2);
  });
});

describe("a state exchange", () => {
  it("comes back as it went out", () => {
    fc.assert(
      fc.property(anyState, (state) => {
        expect(decodeStateExchange(encodeStateExchange(state))).toEqual(state);
      }),
    );
  });

  it("cut short, or with a byte too many, is a wire error", () => {
    fc.assert(
      fc.property(anyState, fc.nat(), (state, at) => {
        const bytes = encodeStateExchange(state);
        expect(() => decodeStateExchange(bytes.subarray(0, at % bytes.length))).toThrow(WireError);
        expect(() => decodeStateExchange(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(WireError);
      }),
    );
  });

  it("with any byte changed decodes or is a wire error", () => {
    fc.assert(
      fc.property(anyState, fc.nat(), fc.integer({ min: 1, max: 255 }), (state, at, flip) => {
        const bytes = encodeStateExchange(state);
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ flip;
        onlyWireErrors(() => decodeStateExchange(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  it("that announces more members than it can hold is refused before anything is allocated", () => {
    const bytes = encodeStateExchange({ sender: SENDER, clusterId: null, members: [], rumours: [] });
    const writer = new ByteWriter();
    writer.raw(bytes.subarray(0, HEADER_BYTES));
    writer.varint(60_000);
    expect(() => decodeStateExchange(writer.copy())).toThrow(/count 60000/);
  });
});

function onlyWireErrors(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
  }
}
