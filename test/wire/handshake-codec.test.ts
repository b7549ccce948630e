import { describe, expect, test } from "vitest";
import { bootNonce, clusterId, nodeId } from "../../src/base/ids.ts";
import { ByteReader } from "../../src/wire/byte-reader.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import {
  type Hello,
  type Identity,
  NO_PROOF,
  readHello,
  readRefusal,
  readWelcome,
  writeHello,
  writeRefusal,
  writeWelcome,
} from "../../src/wire/handshake-codec.ts";
import { WireError } from "../../src/wire/wire-error.ts";

const IDENTITY: Identity = {
  node: nodeId("0123456789abcdef"),
  boot: bootNonce("fedcba9876543210"),
  clusterId: clusterId("00000000000000aa"),
  address: { host: "node-1.example", port: 7946 },
};
const HELLO: Hello = {
  protocolMin: 1,
  protocolMax: 3,
  purpose: "bulk",
  identity: IDENTITY,
  proof: { scheme: 4, bytes: new Uint8Array([1, 2]) },
  expected: nodeId("00000000000000ee"),
};

function bytesOf(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  write(writer);
  return new Uint8Array(writer.copy());
}

describe("handshake frames", () => {
  test("hello, welcome and refusal survive the way there", () => {
    const hello = bytesOf((writer) => writeHello(writer, HELLO));
    expect(readHello(new ByteReader(hello))).toEqual(HELLO);
    const welcome = { protocol: 2, identity: { ...IDENTITY, clusterId: null }, proof: NO_PROOF };
    expect(readWelcome(new ByteReader(bytesOf((writer) => writeWelcome(writer, welcome))))).toEqual(welcome);
    const refusal = { code: "CREMA_ID_CONFLICT", message: "held twice — here", identity: IDENTITY };
    expect(readRefusal(new ByteReader(bytesOf((writer) => writeRefusal(writer, refusal))))).toEqual(refusal);
  });

  test("fields that a later version adds at the end are ignored", () => {
    const longer = Buffer.concat([bytesOf((writer) => writeHello(writer, HELLO)), Buffer.from("later")]);
    expect(readHello(new ByteReader(longer))).toEqual(HELLO);
  });

  test("a hello cut anywhere, or with another magic or purpose, is refused", () => {
    const hello = bytesOf((writer) => writeHello(writer, HELLO));
    for (let length = 0; length < hello.length; length++) {
      expect(() => readHello(new ByteReader(hello.slice(0, length)))).toThrow(WireError);
    }
    for (const [at, value] of [[0, 0x44] as const, [8, 3] as const]) {
      const changed = hello.slice();
      changed[at] = value;
      expect(() => readHello(new ByteReader(changed))).toThrow(WireError);
    }
  });

  test("a long message is cut so that a refusal always fits its limits", () => {
    const refusal = { code: "CREMA_BUSY", message: "€".repeat(5_000), identity: IDENTITY };
    const read = readRefusal(new ByteReader(bytesOf((writer) => writeRefusal(writer, refusal))));
    expect(read.message.length).toBe(256);
  });
});
