/** The RESP door over real sockets: pipelines, large values, limits, and how connections end. */
import { once } from "node:events";
import { connect } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { VALUE_BYTES_MAX } from "../../src/base/limits.ts";
import { clusterError } from "./fake-door.ts";
import { ErrorReply, encodeRequest, OK, Status, type Value } from "./resp-client.ts";
import { openRespDoor, type RespDoorFixture, type RespFixtureOptions } from "./resp-fixture.ts";

let fixture: RespDoorFixture;

async function open(options: RespFixtureOptions = {}): Promise<RespDoorFixture> {
  fixture = await openRespDoor(options);
  return fixture;
}

afterEach(() => fixture.close());

describe("a pipeline", () => {
  test.each(["at-once", "later", "shuffled"] as const)(
    "is answered in order when answers come %s",
    async (answers) => {
      const client = await (await open({ answers, shards: 7 })).connect();
      let sent = "";
      const expected: Value[] = [];
      for (let n = 0; n < 2_000; n++) {
        sent +=
          encodeRequest("SET", `k${n}`, `v${n}`) +
          encodeRequest("GET", `k${n}`) +
          encodeRequest("ECHO", `${n}`);
        expected.push(OK, `v${n}`, `${n}`);
      }
      client.write(sent);
      const got: Value[] = [];
      while (got.length < expected.length) got.push(await client.reply());
      expect(got).toEqual(expected);
    },
  );

  test("of mixed requests reads as if each had waited for the one before", async () => {
    const client = await (await open({ answers: "shuffled", shards: 5 })).connect();
    client.write(
      [
        encodeRequest("MSET", "a", "1", "b", "2", "c", "3"),
        encodeRequest("GET", "a"),
        encodeRequest("SET", "a", "9"),
        encodeRequest("GET", "a"),
        encodeRequest("DBSIZE"),
        encodeRequest("DEL", "a", "b"),
        encodeRequest("DBSIZE"),
        encodeRequest("MGET", "a", "b", "c"),
        encodeRequest("NOSUCH"),
        encodeRequest("FLUSHALL"),
        encodeRequest("EXISTS", "a", "b", "c"),
      ].join(""),
    );
    const got: Value[] = [];
    while (got.length < 11) got.push(await client.reply());
    expect(got).toEqual([
      OK,
      "1",
      OK,
      "9",
      3,
      2,
      1,
      [null, null, "3"],
      new ErrorReply("ERR unknown command 'NOSUCH', with args beginning with: "),
      OK,
      0,
    ]);
  });

  test("whose answers come in one turn leaves in one write", async () => {
    const client = await (await open({ answers: "held" })).connect();
    client.write(Array.from({ length: 500 }, (_, n) => encodeRequest("GET", `k${n}`)).join(""));
    await expect.poll(() => fixture.door.waiting).toBeGreaterThan(7);
    while (fixture.server.stats.requests < 500) {
      fixture.door.release();
      await new Promise(setImmediate);
    }
    for (let n = 0; n < 500; n++) expect(await client.reply()).toBeNull();
    expect(fixture.server.stats.socketWrites).toBeLessThan(60);
  });

  test("an answer that is late holds back the later ones, and nothing else", async () => {
    const { door } = await open({ answers: "held" });
    const [slow, quick] = [await fixture.connect(), await fixture.connect()];
    slow.write(encodeRequest("GET", "a") + encodeRequest("PING"));
    await expect.poll(() => door.waiting).toBe(1);
    expect(await quick.ask("PING")).toEqual(new Status("PONG"));
    expect(fixture.server.stats.bytesWritten).toBe(7);
    door.release();
    expect(await slow.reply()).toBeNull();
    expect(await slow.reply()).toEqual(new Status("PONG"));
  });

  test("cut at every byte is understood", async () => {
    const client = await (await open()).connect();
    const bytes = encodeRequest("SET", "k", "a\r\nb") + encodeRequest("GET", "k");
    for (const byte of bytes) {
      client.write(byte);
      await new Promise(setImmediate);
    }
    expect(await client.reply()).toEqual(OK);
    expect(await client.reply()).toBe("a\r\nb");
  });
});

describe("large values", () => {
  test("of the largest size are stored and read back", async () => {
    const client = await (await open()).connect();
    const value = "0123456789abcdef".repeat(VALUE_BYTES_MAX / 16);
    expect(await client.ask("SET", "k", value)).toEqual(OK);
    expect(await client.ask("STRLEN", "k")).toBe(VALUE_BYTES_MAX);
    expect((await client.ask("GET", "k")) === value).toBe(true);
  });

  test("one byte beyond are refused by name, and the connection goes on", async () => {
    const client = await (await open()).connect();
    expect(await client.ask("SET", "k", "x".repeat(VALUE_BYTES_MAX + 1))).toEqual(
      new ErrorReply("ERR a value of 16777217 bytes is too large: at most 16777216 are allowed"),
    );
    expect(await client.ask("PING")).toEqual(new Status("PONG"));
  });

  test("far beyond are a protocol error", async () => {
    const client = await (await open()).connect();
    client.write("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$20000000\r\n");
    expect(await client.untilClosed()).toBe("-ERR Protocol error: invalid bulk length\r\n");
  });

  test("many at once are answered in full to a client that reads", async () => {
    const client = await (await open({ answers: "later" })).connect();
    const value = "v".repeat(1024 * 1024);
    await client.ask("SET", "k", value);
    client.write(encodeRequest("GET", "k").repeat(100));
    for (let n = 0; n < 100; n++) expect((await client.reply()) === value).toBe(true);
  });
});

describe("keys", () => {
  test("have 1 to 65,535 bytes", async () => {
    await open();
    const longest = "k".repeat(65_535);
    expect(await fixture.ask("SET", longest, "v")).toEqual(OK);
    expect(await fixture.ask("GET", longest)).toBe("v");
    const tooLong = new ErrorReply("ERR a key of 65536 bytes is too long: at most 65535 are allowed");
    expect(await fixture.ask("SET", `${longest}k`, "v")).toEqual(tooLong);
    expect(await fixture.ask("MGET", "a", `${longest}k`)).toEqual(tooLong);
    expect(await fixture.ask("GET", "")).toEqual(new ErrorReply("ERR a key must have at least 1 byte"));
    expect(await fixture.ask("RENAME", "a", "")).toEqual(
      new ErrorReply("ERR a key must have at least 1 byte"),
    );
  });
});

describe("a failure of the cluster", () => {
  test.each([
    ["CREMA_NO_LEADER", {}, "CLUSTERDOWN crema_no_leader for a test"],
    ["CREMA_NO_QUORUM", {}, "CLUSTERDOWN crema_no_quorum for a test"],
    ["CREMA_NOT_READY", {}, "CLUSTERDOWN crema_not_ready for a test"],
    ["CREMA_BUSY", {}, "BUSY crema_busy for a test"],
    ["CREMA_TIMEOUT", {}, "TIMEOUT crema_timeout for a test"],
    [
      "CREMA_TIMEOUT",
      { ambiguous: true },
      "TIMEOUT crema_timeout for a test (ambiguous: the write may have been applied)",
    ],
    [
      "CREMA_NO_LEADER",
      { ambiguous: true },
      "TIMEOUT crema_no_leader for a test (ambiguous: the write may have been applied)",
    ],
    ["CREMA_INTERNAL", {}, "ERR crema_internal for a test"],
  ] as const)("%s %j is answered as an error that clients know", async (code, options, text) => {
    const { door } = await open();
    door.failWith(() => clusterError(code, options));
    expect(await fixture.ask("SET", "k", "v")).toEqual(new ErrorReply(text));
    expect(await fixture.ask("GET", "k")).toEqual(new ErrorReply(text));
    door.failWith(null);
    expect(await fixture.ask("SET", "k", "v")).toEqual(OK);
  });

  test("before the node has joined, requests on keys are answered so and the rest works", async () => {
    const { door } = await open();
    door.notReady = clusterError("CREMA_NOT_READY");
    expect(await fixture.ask("GET", "k")).toEqual(new ErrorReply("CLUSTERDOWN crema_not_ready for a test"));
    expect(await fixture.ask("MGET", "k", "l")).toEqual(
      new ErrorReply("CLUSTERDOWN crema_not_ready for a test"),
    );
    expect(await fixture.ask("PING")).toEqual(new Status("PONG"));
  });

  test("a bug in a command is logged and costs its caller one error", async () => {
    const { door, log } = await open();
    door.read = () => {
      throw new TypeError("a bug");
    };
    expect(await fixture.ask("GET", "k")).toEqual(
      new ErrorReply("ERR internal error, see the log of the node"),
    );
    expect(await fixture.ask("SET", "k", "v")).toEqual(OK);
    expect(log).toContainEqual(expect.objectContaining({ level: "error", text: "a command failed" }));
  });

  test("an answer of the wrong kind is logged and closes the connection it was for", async () => {
    const { door, log } = await open();
    door.read = (_shard, _query, _consistency, _timeoutMs, sink) => sink.reply([1]);
    const client = await fixture.connect();
    client.write(encodeRequest("GET", "k"));
    expect(await client.untilClosed()).toBe("");
    expect(log).toContainEqual(
      expect.objectContaining({ level: "error", text: "a reply could not be written" }),
    );
  });
});

describe("protocol errors", () => {
  test("are answered behind what came before, counted, and end the connection", async () => {
    const client = await (await open({ answers: "later" })).connect();
    client.write(`${encodeRequest("SET", "k", "v")}*1\r\nX\r\n${encodeRequest("PING")}`);
    expect(await client.untilClosed()).toBe("+OK\r\n-ERR Protocol error: expected '$', got 'X'\r\n");
    expect(fixture.server.stats.protocolErrors).toBe(1);
  });

  test("an HTTP request, as a browser can be made to send one, gets nothing", async () => {
    const client = await (await open()).connect();
    client.write("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nSET k v\r\n");
    expect(await client.untilClosed()).toBe("");
    expect(await fixture.ask("EXISTS", "k")).toBe(0);
    expect(fixture.server.stats.protocolErrors).toBe(1);
  });

  test("no bytes whatever break the door for others", async () => {
    await open({ shards: 2 });
    const pieces = fc.constantFrom(
      "*",
      "$",
      "1",
      "3",
      "\r\n",
      "SET",
      "GET",
      "k",
      "-",
      "9",
      '"',
      "\0",
      "PING",
      " ",
      "INFO",
      "CONFIG",
      "SCAN",
    );
    const garbage = fc.oneof(
      fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join("")),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
      fc
        .array(fc.array(pieces, { minLength: 1, maxLength: 6 }), { maxLength: 5 })
        .map((all) => all.map((args) => encodeRequest(...args)).join("")),
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (bytes) => {
        const client = await fixture.connect();
        client.write(bytes);
        client.socket.end();
        await client.untilClosed();
      }),
      { numRuns: 200 },
    );
    expect(await fixture.ask("PING")).toEqual(new Status("PONG"));
    expect(fixture.log.filter(({ level }) => level === "error")).toEqual([]);
    await expect.poll(() => fixture.server.stats.connectionsOpen).toBe(1);
  }, 60_000);
});

test("requests of two clients that arrive in pieces, by turns, do not mix: what arrives lies in one buffer for all", async () => {
  await open();
  const [a, b] = [await fixture.connect(), await fixture.connect()];
  const requests = [encodeRequest("ECHO", "a".repeat(40)), encodeRequest("ECHO", "b".repeat(40))] as const;
  for (let cut = 1; cut < requests[0].length; cut++) {
    const read = fixture.server.stats.bytesRead;
    a.write(requests[0].slice(0, cut));
    await expect.poll(() => fixture.server.stats.bytesRead, { interval: 1 }).toBe(read + cut);
    b.write(requests[1]);
    expect(await b.reply()).toBe("b".repeat(40));
    a.write(requests[0].slice(cut));
    expect(await a.reply()).toBe("a".repeat(40));
  }
});

describe("backpressure", () => {
  test("a client that sends and does not wait is read only as fast as it is answered", async () => {
    await open({ answers: "held", limits: { pendingRequestsMax: 100 } });
    const client = await fixture.connect();
    const request = encodeRequest("SET", "k", "x".repeat(10_000));
    client.write(request.repeat(2_000));
    await expect.poll(() => fixture.door.waiting).toBeGreaterThan(0);
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(fixture.server.stats.bytesRead).toBeLessThan(100 * request.length + 200_000);
    fixture.door.answers = "at-once";
    fixture.door.release();
    for (let n = 0; n < 2_000; n++) expect(await client.reply()).toEqual(OK);
  });

  test("bytes that wait are limited, not only requests", async () => {
    await open({ answers: "held", limits: { pendingBytesMax: 1_000_000 } });
    const client = await fixture.connect();
    client.write(encodeRequest("SET", "k", "x".repeat(100_000)).repeat(100));
    await expect.poll(() => fixture.door.waiting).toBeGreaterThan(0);
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(fixture.server.stats.bytesRead).toBeLessThan(2_000_000);
    fixture.door.answers = "at-once";
    fixture.door.release();
    for (let n = 0; n < 100; n++) expect(await client.reply()).toEqual(OK);
  });

  test("a client that does not read stops being read, and gets everything once it reads", async () => {
    await open({ limits: { outputHighWaterBytes: 100_000 } });
    const client = await fixture.connect();
    await client.ask("SET", "k", "v".repeat(10_000));
    client.socket.pause();
    client.write(encodeRequest("GET", "k").repeat(5_000));
    let before = -1;
    await expect
      .poll(
        () => {
          const same = fixture.server.stats.requests === before;
          before = fixture.server.stats.requests;
          return same;
        },
        { interval: 50 },
      )
      .toBe(true);
    expect(fixture.server.stats.requests).toBeLessThan(5_001);
    client.socket.resume();
    for (let n = 0; n < 5_000; n++) expect(((await client.reply()) as string).length).toBe(10_000);
  });

  test("a client that lets more pile up than its allowance is closed", async () => {
    await open({ answers: "held", limits: { outputBytesMax: 5_000_000, outputHighWaterBytes: 1_000 } });
    await fixture.ask("PING");
    fixture.door.answers = "at-once";
    await fixture.ask("SET", "k", "v".repeat(900_000));
    const client = await fixture.connect();
    fixture.door.answers = "held";
    client.socket.pause();
    const many = await fixture.connect();
    many.socket.pause();
    many.write(encodeRequest("MGET", ...Array.from({ length: 10 }, () => "k")));
    await expect.poll(() => fixture.door.waiting).toBe(1);
    fixture.door.release();
    await many.untilClosed();
    expect(fixture.server.stats.slowReaders).toBe(1);
    expect(fixture.log).toContainEqual(
      expect.objectContaining({ level: "warn", text: "a client that does not read its answers is closed" }),
    );
  });

  test("connections beyond the limit are told so and closed", async () => {
    await open({ limits: { clientsMax: 2 } });
    await fixture.connect();
    await fixture.ask("PING");
    const third = await fixture.connect();
    expect(await third.untilClosed()).toBe("-ERR max number of clients reached\r\n");
    expect(fixture.server.stats.connectionsRejected).toBe(1);
    expect(await fixture.ask("CONFIG", "SET", "maxclients", "3")).toEqual(OK);
    expect(await (await fixture.connect()).ask("PING")).toEqual(new Status("PONG"));
  });
});

describe("the end of a connection", () => {
  test("a client that half-closes gets the answers to what it sent", async () => {
    const client = await (await open({ answers: "later" })).connect();
    client.write(encodeRequest("SET", "k", "v") + encodeRequest("GET", "k"));
    client.socket.end();
    expect(await client.untilClosed()).toBe("+OK\r\n$1\r\nv\r\n");
  });

  test("a client that keeps its side open after QUIT is closed all the same", async () => {
    await open();
    const socket = connect({ port: fixture.server.address.port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => {});
    socket.resume();
    socket.write("QUIT\r\n");
    await once(socket, "end");
    expect(fixture.server.stats.connectionsOpen).toBe(1);
    await expect.poll(() => fixture.server.stats.connectionsOpen, { timeout: 10_000 }).toBe(0);
    socket.destroy();
  });

  test("a client that vanishes leaves nothing behind", async () => {
    const { server, door } = await open({ answers: "held" });
    const client = await fixture.connect();
    client.write(encodeRequest("GET", "k").repeat(10));
    await expect.poll(() => door.waiting).toBeGreaterThan(0);
    client.destroy();
    await expect
      .poll(() => {
        door.release();
        return server.stats.connectionsOpen;
      })
      .toBe(0);
    expect(fixture.log.filter(({ level }) => level === "error")).toEqual([]);
  });

  test("a graceful close answers what was read, refuses what comes after, and ends", async () => {
    const { server, door } = await open({ answers: "held" });
    const [busy, idle] = [await fixture.connect(), await fixture.connect()];
    busy.write(encodeRequest("SET", "k", "v"));
    await expect.poll(() => door.waiting).toBe(1);
    await idle.ask("PING");
    const closed = server.close({ graceful: true });
    expect(await idle.untilClosed()).toBe("");
    busy.write(encodeRequest("PING"));
    door.release();
    expect(await busy.untilClosed()).toBe("+OK\r\n");
    await closed;
    await expect(fixture.connect()).rejects.toThrow("ECONNREFUSED");
  });

  test("a graceful close does not wait for ever", async () => {
    const { server, door } = await open({ answers: "held" });
    const client = await fixture.connect();
    client.write(encodeRequest("SET", "k", "v"));
    await expect.poll(() => door.waiting).toBe(1);
    await server.close({ graceful: true, timeoutMs: 20 });
    expect(await client.untilClosed()).toBe("");
    expect(fixture.log).toContainEqual(expect.objectContaining({ level: "warn", fields: { clients: 1 } }));
  });

  test("closing twice is closing once", async () => {
    const { server } = await open();
    await Promise.all([server.close(), server.close(), server[Symbol.asyncDispose]()]);
  });
});

test("a taken port is named together with the flag that changes it", async () => {
  const { server } = await open();
  await expect(openRespDoor({ port: server.address.port })).rejects.toMatchObject({
    code: "CREMA_ADDRESS_IN_USE",
    message: expect.stringMatching(new RegExp(`port ${server.address.port} .*--resp-port`)),
  });
});

test("a limit that is no positive integer is refused by name", async () => {
  await open();
  await expect(openRespDoor({ limits: { pendingBytesMax: 0 } })).rejects.toThrow(/pendingBytesMax/);
});
