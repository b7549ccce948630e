import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { type ExpectedReply, ReplyCounter } from "./reply-counter.ts";

const VALUE: ExpectedReply = { bulkBytes: 5, mayMiss: false };

describe("a counter of replies", () => {
  it("counts the same however the stream is cut", () => {
    const stream = Buffer.from("+OK\r\n$5\r\n-\r\n:1\r\n:2\r\n".repeat(7), "latin1");
    for (let size = 1; size <= stream.length; size++) {
      const counter = new ReplyCounter(["status", VALUE, "replicas"], unexpected);
      let count = 0;
      for (let at = 0; at < stream.length; at += size) {
        const chunk = stream.subarray(at, at + size);
        count += counter.push(chunk, chunk.length);
      }
      expect(count).toBe(21);
    }
  });

  it("looks at no more of a buffer than was filled", () => {
    const counter = new ReplyCounter(["status"], unexpected);
    expect(counter.push(Buffer.from("+OK\r\n+OK\r\n"), 5)).toBe(1);
  });

  it("tells the text of an error, which counts as a reply", () => {
    const errors: string[] = [];
    const counter = new ReplyCounter(["status", "status"], (text) => errors.push(text));
    const chunk = Buffer.from("-BUSY try again\r\n+OK\r\n");
    expect(counter.push(chunk, chunk.length)).toBe(2);
    expect(errors).toEqual(["BUSY try again"]);
  });

  it("counts a value that may be missing and is, and refuses a wrong one there", () => {
    let nothing = 0;
    const expected: ExpectedReply = { bulkBytes: 5, mayMiss: true };
    const counter = new ReplyCounter([expected], unexpected, () => nothing++);
    const chunk = Buffer.from("$-1\r\n$5\r\nabcde\r\n$-1\r\n");
    expect(counter.push(chunk, chunk.length)).toBe(3);
    expect(nothing).toBe(2);
    expect(() => counter.push(Buffer.from("$4\r\nabcd\r\n"), 10)).toThrow();
  });

  it.each([
    ["status", ":1\r\n"],
    ["replicas", ":0\r\n"],
    ["replicas", "+OK\r\n"],
    [VALUE, "$-1\r\n"],
    [VALUE, "$4\r\nabcd\r\n"],
    [VALUE, "+abcde\r\n"],
  ] as const)("refuses, where %o is expected, %o", (expected, reply) => {
    const counter = new ReplyCounter([expected], unexpected);
    expect(() => counter.push(Buffer.from(reply), reply.length)).toThrow();
  });
});

function unexpected(text: string): void {
  throw new Error(text);
}
