import { describe, expect, test } from "vitest";
import { RespWriter } from "../../../src/wire/resp/resp-writer.ts";

function written(write: (writer: RespWriter) => void, version: 2 | 3 = 2): string {
  const writer = new RespWriter();
  writer.version = version;
  write(writer);
  const { length } = writer;
  const bytes = writer.take().join("");
  expect(length).toBe(bytes.length);
  return bytes;
}

describe("each kind of reply in RESP2 and RESP3", () => {
  const cases: readonly (readonly [string, (writer: RespWriter) => void, string, string])[] = [
    ["a status", (writer) => writer.simple("OK"), "+OK\r\n", "+OK\r\n"],
    ["an error", (writer) => writer.error("ERR no"), "-ERR no\r\n", "-ERR no\r\n"],
    ["an integer", (writer) => writer.integer(-7), ":-7\r\n", ":-7\r\n"],
    [
      "a big integer",
      (writer) => writer.integer(2n ** 63n - 1n),
      ":9223372036854775807\r\n",
      ":9223372036854775807\r\n",
    ],
    ["bytes", (writer) => writer.bulk("a\r\n\xff"), "$4\r\na\r\n\xff\r\n", "$4\r\na\r\n\xff\r\n"],
    ["no bytes", (writer) => writer.bulk(""), "$0\r\n\r\n", "$0\r\n\r\n"],
    ["absence", (writer) => writer.null(), "$-1\r\n", "_\r\n"],
    ["an array", (writer) => writer.array(3), "*3\r\n", "*3\r\n"],
    ["a map", (writer) => writer.map(2), "*4\r\n", "%2\r\n"],
    ["a set", (writer) => writer.set(2), "*2\r\n", "~2\r\n"],
    ["text", (writer) => writer.verbatim("hi"), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n"],
  ];

  test.each(cases)("%s", (_, write, inResp2, inResp3) => {
    expect(written(write, 2)).toBe(inResp2);
    expect(written(write, 3)).toBe(inResp3);
  });
});

test("an error stays on one line, whatever it repeats of the request", () => {
  expect(written((writer) => writer.error("ERR a\r\nb\nc"))).toBe("-ERR a  b c\r\n");
});

test("large values keep their place among small ones, and no piece comes near the limit of a string", () => {
  const large = "x".repeat(5 * 1024 * 1024);
  const writer = new RespWriter();
  writer.simple("OK");
  writer.bulk(large);
  for (let n = 0; n < 3_000; n++) writer.bulk("y".repeat(1_000));
  writer.integer(1);
  const pieces = writer.take();
  expect(pieces.join("")).toBe(
    `+OK\r\n$${large.length}\r\n${large}\r\n${`$1000\r\n${"y".repeat(1_000)}\r\n`.repeat(3_000)}:1\r\n`,
  );
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(large.length);
  expect(pieces.length).toBeGreaterThan(4);
});

test("taking leaves nothing behind", () => {
  const writer = new RespWriter();
  writer.simple("OK");
  writer.take();
  expect(writer.length).toBe(0);
  expect(writer.take()).toEqual([]);
});
