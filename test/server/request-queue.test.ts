/** Order and concurrency of one connection's requests, without sockets. */
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { VALUE_BYTES_MAX } from "../../src/base/limits.ts";
import type { Client } from "../../src/server/client.ts";
import { CommandTable } from "../../src/server/command-table.ts";
import { Request } from "../../src/server/request.ts";
import {
  type RequestHandler,
  RequestQueue,
  type RequestQueueLimits,
} from "../../src/server/request-queue.ts";

const table = new CommandTable();

class Recorder implements RequestHandler {
  readonly started: Request[] = [];
  readonly delivered: Request[] = [];
  outputFull = false;
  overflows = 0;
  /** Answers the request within `start`. */
  atOnce: (request: Request) => boolean = () => false;

  start(request: Request): void {
    this.started.push(request);
    if (this.atOnce(request)) request.reply(null);
  }

  deliver(request: Request): void {
    this.delivered.push(request);
  }

  overflow(): void {
    this.overflows++;
  }
}

let handler: Recorder;
let queue: RequestQueue;

const LIMITS: RequestQueueLimits = { runningRequestsMax: 1_000, outputBytesMax: 1024 ** 4 };

function fresh(limits: Partial<RequestQueueLimits> = {}): void {
  handler = new Recorder();
  queue = new RequestQueue(handler, { ...LIMITS, ...limits });
}

function push(text: string): Request {
  const args = text.split(" ");
  const entry = table.find(args[0] as string);
  if (entry === undefined) throw new Error(`no command in ${text}`);
  // The queue looks at nothing of the client.
  const request = new Request(null as unknown as Client, entry, args, 0, queue);
  queue.push(request);
  return request;
}

function names(requests: readonly Request[]): string[] {
  return requests.map((request) => request.args.join(" "));
}

beforeEach(() => fresh());

describe("answers", () => {
  test("leave in the order of the requests, whatever order they come in", () => {
    const [first, second, third] = [push("GET a"), push("GET b"), push("GET c")];
    third.reply(null);
    first.reply(null);
    expect(names(handler.delivered)).toEqual(["GET a"]);
    second.reply(null);
    expect(names(handler.delivered)).toEqual(["GET a", "GET b", "GET c"]);
    expect(queue.size).toBe(0);
  });

  test("given at once leave at once", () => {
    handler.atOnce = () => true;
    push("PING");
    push("PING x");
    expect(names(handler.delivered)).toEqual(["PING", "PING x"]);
  });

  test("wait while the output is full", () => {
    handler.atOnce = () => true;
    handler.outputFull = true;
    push("PING 1");
    push("PING 2");
    expect(handler.delivered).toEqual([]);
    handler.outputFull = false;
    queue.advance();
    expect(names(handler.delivered)).toEqual(["PING 1", "PING 2"]);
  });

  test("given twice count once", () => {
    const request = push("GET a");
    request.reply("x");
    request.reply("y");
    request.refuse("ERR late");
    expect(request.value).toBe("x");
    expect(handler.delivered.length).toBe(1);
  });
});

describe("requests", () => {
  test("on different keys run side by side", () => {
    for (const text of ["SET a 1", "SET b 1", "GET c", "INCR d"]) push(text);
    expect(handler.started.length).toBe(4);
  });

  test("on one key run side by side where the door keeps their order", () => {
    for (const text of ["SET a 1", "SET a 2", "GET a", "GET a"]) push(text);
    expect(handler.started.length).toBe(4);
  });

  test("that write a key wait for every earlier read of it", () => {
    const first = push("GET a");
    const second = push("GET a");
    push("SET a 2");
    push("GET b");
    expect(names(handler.started)).toEqual(["GET a", "GET a"]);
    second.reply(null);
    expect(handler.started.length).toBe(2);
    first.reply(null);
    expect(names(handler.started)).toEqual(["GET a", "GET a", "SET a 2", "GET b"]);
  });

  test("of several keys wait for a read of any of them", () => {
    const reading = push("MGET a b c");
    push("DEL x b");
    expect(handler.started.length).toBe(1);
    reading.reply([]);
    expect(handler.started.length).toBe(2);
    fresh();
    const single = push("GET y");
    push("MSET x 1 y 2");
    expect(handler.started.length).toBe(1);
    single.reply(null);
    expect(handler.started.length).toBe(2);
  });

  test("about the whole key space wait for all before, and all after wait for them", () => {
    const before = push("SET a 1");
    const alone = push("DBSIZE");
    push("SET b 1");
    expect(names(handler.started)).toEqual(["SET a 1"]);
    before.reply(1);
    expect(names(handler.started)).toEqual(["SET a 1", "DBSIZE"]);
    alone.reply(1);
    expect(names(handler.started)).toEqual(["SET a 1", "DBSIZE", "SET b 1"]);
  });

  test("do not run more at once than the limit", () => {
    fresh({ runningRequestsMax: 2 });
    const requests = ["GET a", "GET b", "GET c"].map(push);
    expect(handler.started.length).toBe(2);
    requests[1]?.reply(null);
    expect(handler.started.length).toBe(2);
    requests[0]?.reply(null);
    expect(handler.started.length).toBe(3);
  });

  test("that have not started can be dropped", () => {
    fresh({ runningRequestsMax: 2 });
    const requests = ["GET a", "GET b", "GET c", "GET d"].map(push);
    queue.dropWaiting();
    expect(queue.size).toBe(2);
    for (const request of requests) request.reply(null);
    expect(names(handler.delivered)).toEqual(["GET a", "GET b"]);
    push("GET e");
    expect(names(handler.started)).toEqual(["GET a", "GET b", "GET e"]);
  });

  test("dropped before any started leave an empty line", () => {
    fresh();
    const alone = push("DBSIZE");
    push("GET x");
    alone.reply(0);
    queue.dropWaiting();
    expect(queue.size).toBe(1);
  });
});

describe("the memory answers may take", () => {
  test("a new connection asks for few values at once, and for more as they prove small", () => {
    fresh({ outputBytesMax: VALUE_BYTES_MAX * 8 });
    const requests = Array.from({ length: 600 }, (_, n) => push(`GET k${n}`));
    expect(handler.started.length).toBe(4);
    let answered = 0;
    while (answered < 400) requests[answered++]?.reply("small");
    expect(handler.started.length - answered).toBeGreaterThan(50);
  });

  test("large answers bring the number down again", () => {
    fresh({ outputBytesMax: VALUE_BYTES_MAX * 8 });
    const requests = Array.from({ length: 2_000 }, (_, n) => push(`GET k${n}`));
    let answered = 0;
    while (answered < 1_000) requests[answered++]?.reply("small");
    requests[answered++]?.reply("x".repeat(VALUE_BYTES_MAX));
    const running = handler.started.length - answered;
    for (let n = 0; n < running; n++) requests[answered++]?.reply("small");
    expect(handler.started.length - answered).toBeLessThan(running / 2);
  });

  test("answers that nobody reads are an overflow", () => {
    fresh({ outputBytesMax: 1_000 });
    handler.outputFull = true;
    push("GET a").reply("x".repeat(900));
    expect(handler.overflows).toBe(0);
    push("GET b").reply("x".repeat(101));
    expect(handler.overflows).toBe(1);
  });
});

describe("under any schedule", () => {
  const texts = fc.constantFrom(
    "GET a",
    "GET b",
    "SET a 1",
    "SET b 1",
    "MGET a b",
    "MSET a 1 b 2",
    "DBSIZE",
    "PING",
    "FLUSHALL",
  );

  test("all requests are answered once, in order, and no write overtakes a read of its key", () => {
    fc.assert(
      fc.property(
        fc.array(texts, { maxLength: 40 }),
        fc.array(fc.nat(), { maxLength: 80 }),
        fc.integer({ min: 1, max: 8 }),
        (plan, picks, max) => {
          fresh({ runningRequestsMax: max });
          const requests = plan.map(push);
          for (const pick of [...picks, ...plan.map(() => 0), ...plan.map(() => 0)]) {
            const open = handler.started.filter((request) => !request.settled);
            checkRunning(open);
            open[pick % Math.max(1, open.length)]?.reply(null);
          }
          expect(handler.delivered).toEqual(requests);
          expect(handler.started).toEqual(requests);
          expect(queue.size).toBe(0);
        },
      ),
    );
  });

  function checkRunning(open: readonly Request[]): void {
    const alone = open.filter(({ entry }) => entry.spec.order === "alone");
    if (alone.length > 0) expect(open.length).toBe(1);
    for (const [at, later] of open.entries()) {
      if (!later.entry.writes) continue;
      for (const earlier of open.slice(0, at)) {
        if (earlier.entry.writes || earlier.entry.spec.firstKey === 0) continue;
        const keys = earlier.args.slice(1);
        expect(later.args.slice(1).some((arg) => keys.includes(arg))).toBe(false);
      }
    }
  }
});
