/**
 * The door's own cost, without network and without a node: `npx vitest bench test/bench/resp.bench.ts`.
 * One iteration is 1,000 requests or replies. Goals for one core: 250 iterations a second parsing, 300 writing.
 */
import { Buffer } from "node:buffer";
import { bench, describe } from "vitest";
import type { Client } from "../../src/server/client.ts";
import { CommandTable } from "../../src/server/command-table.ts";
import { bulkForm, okForm } from "../../src/server/reply-forms.ts";
import { Request } from "../../src/server/request.ts";
import { type RequestHandler, RequestQueue } from "../../src/server/request-queue.ts";
import { RespRequestParser } from "../../src/wire/resp/resp-request-parser.ts";
import { RespWriter } from "../../src/wire/resp/resp-writer.ts";

const COUNT = 1_000;

function pipeline(make: (n: number) => readonly string[]): Buffer {
  const requests = Array.from({ length: COUNT }, (_, n) => make(n));
  const text = requests.map(
    (args) => `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`,
  );
  return Buffer.from(text.join(""), "latin1");
}

/** `input` in chunks as sockets give them. */
function chunksOf(input: Buffer): readonly Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < input.length; at += 65_536) chunks.push(input.subarray(at, at + 65_536));
  return chunks;
}

describe("parsing 1,000 requests", () => {
  const cases = {
    "GET of a 16-byte key": pipeline((n) => ["GET", `key:${String(n).padStart(12, "0")}`]),
    "SET of 32 bytes": pipeline((n) => ["SET", `key:${String(n).padStart(12, "0")}`, "v".repeat(32)]),
    "SET of 1 KiB": pipeline((n) => ["SET", `key:${String(n).padStart(12, "0")}`, "v".repeat(1_024)]),
  };
  for (const [title, input] of Object.entries(cases)) {
    const chunks = chunksOf(input);
    let parsed = 0;
    const parser = new RespRequestParser(() => parsed++);
    bench(title, () => {
      for (const chunk of chunks) parser.push(chunk);
    });
  }
});

describe("writing 1,000 replies into bytes", () => {
  const sink = Buffer.alloc(2 * 1024 * 1024);
  const cases: Readonly<Record<string, (writer: RespWriter) => void>> = {
    OK: (writer) => writer.simple("OK"),
    "32 bytes": (writer) => writer.bulk("v".repeat(32)),
    "1 KiB": (writer) => writer.bulk("v".repeat(1_024)),
    "an integer": (writer) => writer.integer(1_234),
  };
  for (const [title, write] of Object.entries(cases)) {
    const writer = new RespWriter();
    bench(title, () => {
      for (let n = 0; n < COUNT; n++) write(writer);
      for (const piece of writer.take()) sink.write(piece, "latin1");
    });
  }
});

describe("1,000 requests through line and table", () => {
  const table = new CommandTable();
  const writer = new RespWriter();
  const sink = Buffer.alloc(2 * 1024 * 1024);
  let waiting: Request[] = [];
  const handler: RequestHandler = {
    outputFull: false,
    start: (request) => void waiting.push(request),
    deliver: (request) => request.form(writer, request.value),
    overflow: () => {},
  };
  const queue = new RequestQueue(handler, { runningRequestsMax: 2_000, outputBytesMax: 1024 ** 4 });
  const parser = new RespRequestParser((args) => {
    const entry = table.find(args[0] as string);
    // The line looks at nothing of the client.
    if (entry !== undefined) queue.push(new Request(null as unknown as Client, entry, args, 0, queue));
  });
  for (const command of ["GET", "SET"]) {
    const chunks = chunksOf(
      pipeline((n) => (command === "GET" ? ["GET", `key:${n}`] : ["SET", `key:${n}`, "v".repeat(32)])),
    );
    bench(`${command}, answered in one turn`, () => {
      for (const chunk of chunks) parser.push(chunk);
      const settled = waiting;
      waiting = [];
      for (const request of settled) {
        if (command === "GET") request.answer(bulkForm, "v".repeat(32));
        else request.answer(okForm, null);
      }
      for (const piece of writer.take()) sink.write(piece, "latin1");
    });
  }
});
