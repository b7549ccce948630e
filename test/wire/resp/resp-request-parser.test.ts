import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_RESP_PARSER_LIMITS, type RespParserLimits } from "../../../src/wire/resp/resp-limits.ts";
import { RespRequestParser } from "../../../src/wire/resp/resp-request-parser.ts";

interface Parsed {
  readonly requests: string[][];
  readonly error: string | null;
}

function bytes(text: string): Buffer {
  return Buffer.from(text, "latin1");
}

function encode(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

/** Parses `chunks`, each in a buffer that is scribbled over afterwards, as sockets reuse theirs. */
function parse(chunks: readonly Uint8Array[], limits: Partial<RespParserLimits> = {}): Parsed {
  const requests: string[][] = [];
  const parser = new RespRequestParser((args) => requests.push(args), {
    ...DEFAULT_RESP_PARSER_LIMITS,
    ...limits,
  });
  let error: string | null = null;
  for (const chunk of chunks) {
    const lent = Uint8Array.from(chunk);
    error = parser.push(lent);
    lent.fill(0x2a);
  }
  return { requests, error };
}

function cut(input: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((at) => at % (input.length + 1)))].sort((left, right) => left - right);
  const chunks: Buffer[] = [];
  let from = 0;
  for (const to of [...places, input.length]) {
    chunks.push(input.subarray(from, to));
    from = to;
  }
  return chunks;
}

const binary = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array).toString("latin1"));
const request = fc.array(binary, { minLength: 1, maxLength: 5 });

describe("requests of bulk strings", () => {
  test("any arguments come out as they went in", () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 8 }), (requests) => {
        expect(parse([bytes(requests.map(encode).join(""))])).toEqual({ requests, error: null });
      }),
    );
  });

  test("what comes out does not depend on where the input is cut", () => {
    fc.assert(
      fc.property(
        fc.array(request, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (requests, cuts) => {
          const input = bytes(requests.map(encode).join(""));
          expect(parse(cut(input, cuts))).toEqual({ requests, error: null });
        },
      ),
    );
  });

  test("one byte at a time is enough", () => {
    const input = bytes(`${encode(["SET", "k", "\r\n"])}PING\r\n${encode(["GET", ""])}`);
    const single = Array.from({ length: input.length }, (_, at) => input.subarray(at, at + 1));
    expect(parse(single)).toEqual({ requests: [["SET", "k", "\r\n"], ["PING"], ["GET", ""]], error: null });
  });

  test("a large value in many chunks comes out whole", () => {
    const value = Buffer.alloc(16 * 1024 * 1024, "0123456789abcdef").toString("latin1");
    const input = bytes(encode(["SET", "k", value]));
    const chunks: Buffer[] = [];
    for (let at = 0; at < input.length; at += 65_536) chunks.push(input.subarray(at, at + 65_536));
    const { requests, error } = parse(chunks);
    expect(error).toBeNull();
    expect(requests[0]?.[2] === value).toBe(true);
  });

  test("large values one after the other do not touch each other", () => {
    const values = [900_000, 400_000, 1_000_000].map((length, at) => String(at).repeat(length));
    const input = bytes(values.map((value) => encode(["SET", value, value])).join(""));
    const chunks: Buffer[] = [];
    for (let at = 0; at < input.length; at += 60_000) chunks.push(input.subarray(at, at + 60_000));
    const { requests } = parse(chunks);
    expect(requests.map(([, key, value], at) => key === values[at] && value === values[at])).toEqual([
      true,
      true,
      true,
    ]);
  });

  test("counts of zero or less are no request", () => {
    expect(parse([bytes("*0\r\n*-1\r\n*-10\r\nPING\r\n")])).toEqual({ requests: [["PING"]], error: null });
  });
});

describe("garbage", () => {
  test("never throws, and its verdict does not depend on where it is cut", () => {
    const alphabet = fc.constantFrom(
      "*",
      "$",
      "\r",
      "\n",
      "\r\n",
      "1",
      "2",
      "0",
      "-",
      "x",
      '"',
      "'",
      "\\",
      " ",
      "\0",
      "PING",
    );
    const text = fc.array(alphabet, { maxLength: 60 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, fc.array(fc.nat(), { maxLength: 12 }), (garbage, cuts) => {
        const whole = parse([bytes(garbage)]);
        expect(parse(cut(bytes(garbage), cuts))).toEqual(whole);
      }),
      { numRuns: 2_000 },
    );
  });

  test("random bytes never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (input) => {
        parse([input]);
      }),
    );
  });

  test("a request damaged in one byte is the same damage however it is cut", () => {
    const input = bytes(encode(["SET", "key", "value"]));
    for (let at = 0; at < input.length; at++) {
      for (const damage of [0, 10, 13, 36, 42, 45, 48, 57, 65, 255]) {
        const damaged = Buffer.from(input);
        damaged[at] = damage;
        const whole = parse([damaged]);
        for (let half = 1; half < input.length; half++) expect(parse(cut(damaged, [half]))).toEqual(whole);
      }
    }
  });

  test("after an error nothing is parsed any more", () => {
    const seen: string[][] = [];
    const parser = new RespRequestParser((args) => seen.push(args));
    expect(parser.push(bytes("PING\r\n*x\r\nPING\r\n"))).toBe("Protocol error: invalid multibulk length");
    expect(parser.push(bytes("PING\r\n"))).toBe("Protocol error: invalid multibulk length");
    expect(seen).toEqual([["PING"]]);
  });
});

describe("protocol errors are worded as Redis words them", () => {
  test.each([
    ["*x\r\n", "invalid multibulk length"],
    ["*\r\n", "invalid multibulk length"],
    ["*01\r\n", "invalid multibulk length"],
    ["*+1\r\n", "invalid multibulk length"],
    ["*-0\r\n", "invalid multibulk length"],
    ["*1 \r\n", "invalid multibulk length"],
    ["*1048577\r\n", "invalid multibulk length"],
    ["*9223372036854775807\r\n", "invalid multibulk length"],
    ["*1\rx", "invalid multibulk length"],
    ["*1\r\nPING\r\n", "expected '$', got 'P'"],
    ["*1\r\n\r\n", "expected '$', got '\r'"],
    ["*1\r\n$\r\n", "invalid bulk length"],
    ["*1\r\n$x\r\n", "invalid bulk length"],
    ["*1\r\n$-1\r\n", "invalid bulk length"],
    ["*1\r\n$04\r\n", "invalid bulk length"],
    ["*1\r\n$99999999999999\r\n", "invalid bulk length"],
    ["*1\r\n$1\r\nabc", "expected CRLF after bulk"],
    ['SET "a b\r\n', "unbalanced quotes in request"],
    ["SET 'a\r\n", "unbalanced quotes in request"],
    ['SET "a"b\r\n', "unbalanced quotes in request"],
  ])("%j: %s", (input, reason) => {
    expect(parse([bytes(input)]).error).toBe(`Protocol error: ${reason}`);
  });
});

describe("limits", () => {
  const fits = (length: number) => ({
    argumentsMax: 3,
    bulkBytesMax: 10,
    lineBytesMax: 20,
    requestBytesMax: length,
  });

  test.each([
    [encode(["a", "b", "c"]), null],
    [encode(["a", "b", "c", "d"]), "invalid multibulk length"],
    [encode(["0123456789"]), null],
    [encode(["0123456789a"]), "invalid bulk length"],
    [encode(["0123456789", "0123456789"]), null],
    [encode(["0123456789", "0123456789", "a"]), "too big request"],
    [`${"a".repeat(20)}\n`, null],
    [`${"a".repeat(21)}\n`, "too big inline request"],
    ["a".repeat(21), "too big inline request"],
    [`*${"1".repeat(21)}`, "too big mbulk count string"],
    [`*1\r\n$${"1".repeat(21)}`, "too big bulk count string"],
  ])("%j: %s", (input, reason) => {
    const expected = reason === null ? null : `Protocol error: ${reason}`;
    expect(parse([bytes(input)], fits(20)).error).toBe(expected);
    expect(
      parse(
        cut(
          bytes(input),
          [...input].map((_, at) => at),
        ),
        fits(20),
      ).error,
    ).toBe(expected);
  });

  test("the sum of arguments is counted per request", () => {
    const requests = Array.from({ length: 10 }, () => ["0123456789"]);
    expect(parse([bytes(requests.map(encode).join(""))], fits(20))).toEqual({ requests, error: null });
  });

  test("an announced length allocates nothing by itself", () => {
    const before = process.memoryUsage().arrayBuffers;
    const parsers = Array.from({ length: 200 }, () => {
      const parser = new RespRequestParser(() => {});
      parser.push(bytes("*1048576\r\n$16777216\r\nx"));
      return parser;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 1024 * 1024);
    expect(parsers.length).toBe(200);
  });
});
