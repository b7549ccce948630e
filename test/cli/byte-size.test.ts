import { expect, test } from "vitest";
import { formatByteSize, parseByteSize } from "../../cli/byte-size.ts";

test.each([
  ["0", 0],
  ["1024", 1_024],
  ["7b", 7],
  ["512kib", 524_288],
  ["64mib", 67_108_864],
  ["64 MiB", 67_108_864],
  ["10mb", 10_485_760],
  ["10m", 10_000_000],
  [" 1.5GiB ", 1_610_612_736],
  ["2gb", 2_147_483_648],
  ["1tib", 1_099_511_627_776],
  ["1tb", 1_099_511_627_776],
])("'%s' is %i bytes", (text, bytes) => {
  expect(parseByteSize(text)).toBe(bytes);
});

test.each(["", "mib", "64ib", "-1mib", "1e3", "64mibs", "0x10", "1.b", "9007199254740992", "9000tib"])(
  "'%s' is no byte size",
  (text) => {
    expect(parseByteSize(text)).toBeNull();
  },
);

test.each([
  [0, "0"],
  [1, "1b"],
  [1_025, "1025b"],
  [65_536, "64kib"],
  [67_108_864, "64mib"],
  [10_000_000, "10000000b"],
  [3 * 2 ** 30, "3gib"],
])("%i bytes are written '%s', and read back", (bytes, text) => {
  expect(formatByteSize(bytes)).toBe(text);
  expect(parseByteSize(text)).toBe(bytes);
});
