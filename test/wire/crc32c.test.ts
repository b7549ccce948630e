import { describe, expect, it } from "vitest";
import { crc32c } from "../../src/wire/crc32c.ts";
import { crcBitByBit } from "./crc-bit-by-bit.ts";

describe("crc32c", () => {
  it.each([
    ["nothing", new Uint8Array(0), 0],
    ["32 bytes of zeros", new Uint8Array(32), 0x8a91_36aa],
    ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8_ab43],
    ["32 ascending bytes", Uint8Array.from({ length: 32 }, (_, at) => at), 0x46dd_794e],
    ["32 descending bytes", Uint8Array.from({ length: 32 }, (_, at) => 31 - at), 0x113f_db5c],
    ["the digits 1 to 9", Buffer.from("123456789"), 0xe306_9283],
  ])("knows the answer to %s (RFC 3720 B.4)", (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });

  it("agrees with the definition at every length and alignment", () => {
    const bytes = Uint8Array.from({ length: 80 }, (_, at) => (at * 197 + 31) & 0xff);
    for (let start = 0; start < 9; start++) {
      for (let end = start; end <= bytes.length; end++) {
        expect(crc32c(bytes, start, end)).toBe(crcBitByBit(0x82f6_3b78, bytes.subarray(start, end)));
      }
    }
  });
});
