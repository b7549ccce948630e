import { expect, it } from "vitest";
import { crc32c } from "../../src/wire/crc32c.ts";

it.each([
  ["32 zero bytes", Buffer.alloc(32), 0x8a91_36aa],
  ["32 bytes of ones", Buffer.alloc(32, 0xff), 0x62a8_ab43],
  ["0 to 31", Buffer.from(Array.from({ length: 32 }, (_, at) => at)), 0x46dd_794e],
  ["31 to 0", Buffer.from(Array.from({ length: 32 }, (_, at) => 31 - at)), 0x113f_db5c],
  ["123456789", Buffer.from("123456789"), 0xe306_9283],
  ["nothing", Buffer.alloc(0), 0],
])("CRC-32C of %s is what RFC 3720 says", (_what, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
  expect(crc32c(Buffer.concat([Buffer.from("skipped"), bytes]), 7)).toBe(expected);
});
