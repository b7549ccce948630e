/**
 * The operator's commands against an HTTP door that answers what a test tells it to.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { PassThrough, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CommandFailed } from "../../cli/command-failed.ts";
import { ClusterHttp } from "../../cli/operator/cluster-http.ts";
import type { CommandContext } from "../../cli/operator/command.ts";
import { readCommandLine } from "../../cli/operator/command-line.ts";
import { PLAIN } from "../../cli/terminal/colours.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { groupId } from "../../src/base/ids.ts";
import type { RecoveryPlan } from "../../src/index.ts";
import { exampleRebalance, exampleStatus, NODE_A, NODE_B } from "./example-status.ts";

interface Seen {
  readonly line: string;
  readonly body: string;
}

let server: Server;
let seen: Seen[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  seen = [];
  answer = (request, response) => {
    if (request.url === "/status") response.end(JSON.stringify(exampleStatus()));
    else response.writeHead(204).end();
  };
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      seen.push({ line: `${request.method} ${request.url}`, body: Buffer.concat(parts).toString() });
      answer(request, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

async function run(
  argv: readonly string[],
  input = "",
): Promise<{ code: number; output: string; errors: string }> {
  const { command, given } = await readCommandLine(argv);
  let output = "";
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      output += String(chunk);
      done();
    },
  });
  let errors = "";
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
    errors += String(chunk);
    return true;
  });
  const stdin = new PassThrough();
  stdin.end(input);
  try {
    const context = { ...contextOf(server), stdout: stdout as never, stdin: stdin as never };
    const code = await command.run(given, context);
    return { code, output, errors };
  } finally {
    stderr.mockRestore();
  }
}

function contextOf(door: Server): CommandContext {
  const address = door.address();
  if (address === null || typeof address === "string") throw new Error("the test server is not listening");
  const cluster = new ClusterHttp(`127.0.0.1:${address.port}`);
  return { cluster, colours: PLAIN, stdout: process.stdout, stdin: process.stdin };
}

describe("crema", () => {
  it("prints the status as tables, or as JSON in full", async () => {
    const tables = await run(["status"]);
    expect(tables.output).toContain("3 of 3 members alive");
    const json = await run(["status", "--json"]);
    expect(JSON.parse(json.output)).toEqual(exampleStatus());
    expect(JSON.parse((await run(["members", "--json"])).output)).toHaveLength(3);
    expect(JSON.parse((await run(["shards", "--json"])).output)).toHaveLength(4);
  });

  it("watches until the node goes, and repeats nothing that has not changed", async () => {
    let asked = 0;
    answer = (_request, response) => {
      asked++;
      if (asked === 4) response.destroy();
      else response.end(JSON.stringify(exampleStatus({ mapVersion: asked < 3 ? 1 : 2 })));
    };
    let printed = "";
    const { command, given } = await readCommandLine(["status", "--watch"]);
    const stdout = new Writable({
      write(chunk, _encoding, done) {
        printed += String(chunk);
        done();
      },
    });
    const watching = command.run(given, { ...contextOf(server), stdout: stdout as never });
    await expect(watching).rejects.toThrow(/nobody answers/);
    expect([...printed.matchAll(/map version (\d)/g)].map((match) => match[1])).toEqual(["1", "2"]);
  });

  it("reads, writes and removes keys whatever they hold", async () => {
    answer = (request, response) => {
      if (request.method === "GET") response.end("Alice");
      else response.writeHead(204).end();
    };
    expect(await run(["get", "user/1 ü"])).toEqual({ code: 0, output: "Alice\n", errors: "" });
    expect((await run(["get", "k", "--raw", "--local"])).output).toBe("Alice");
    expect(await run(["set", "k", "Bob", "--ttl", "90s"])).toMatchObject({ code: 0, output: "OK\n" });
    expect((await run(["set", "7", "007"])).code).toBe(0);
    expect((await run(["set", "k"], "from a pipe")).code).toBe(0);
    expect((await run(["del", "k"])).code).toBe(0);
    expect(seen).toEqual([
      { line: "GET /kv/user%2F1%20%C3%BC", body: "" },
      { line: "GET /kv/k?consistency=local", body: "" },
      { line: "PUT /kv/k?ttlMs=90000", body: "Bob" },
      { line: "PUT /kv/7", body: "007" },
      { line: "PUT /kv/k", body: "from a pipe" },
      { line: "DELETE /kv/k", body: "" },
    ]);
  });

  it("pauses, resumes and shows the rebalancing", async () => {
    answer = (_request, response) => void response.end(JSON.stringify(exampleRebalance()));
    expect(await run(["rebalance", "pause"])).toMatchObject({ code: 0, output: "OK\n" });
    expect(await run(["rebalance", "resume"])).toMatchObject({ code: 0, output: "OK\n" });
    expect((await run(["rebalance", "status"])).output).toContain("rebalancing is on");
    expect(JSON.parse((await run(["rebalance", "status", "--json"])).output)).toEqual(exampleRebalance());
    expect(seen.map(({ line, body }) => `${line} ${body}`.trim())).toEqual([
      "POST /rebalance/pause {}",
      "POST /rebalance/resume {}",
      "GET /rebalance",
      "GET /rebalance",
    ]);
  });

  it("waits until the others do not list a node any more, however long its order takes", async () => {
    const { members } = exampleStatus();
    let asked = 0;
    answer = (request, response) => {
      if (request.method === "POST") {
        response.writeHead(504).end('{"code":"CREMA_TIMEOUT","message":"still draining","retryable":true}');
        return;
      }
      asked++;
      const left = members.filter(({ nodeId }) => asked < 4 || nodeId !== NODE_B);
      response.end(JSON.stringify(exampleStatus({ members: left })));
    };
    expect(await run(["leave", "node-2", "--wait", "30s"])).toMatchObject({ code: 0, output: "OK\n" });
    expect(asked).toBe(4);
    expect(seen.filter(({ line }) => line.startsWith("POST"))).toEqual([
      { line: "POST /admin/leave", body: `{"nodeId":"${NODE_B}"}` },
    ]);
    // Without the flag the same answer is the end.
    await expect(run(["leave", "node-2"])).rejects.toThrow("no member is called");
    await expect(run(["leave", "node-1"])).rejects.toThrow("still draining [CREMA_TIMEOUT]");
  });

  it("does not take a node for gone whose drain is not over in time, or of which nobody else can tell", async () => {
    await expect(run(["leave", "node-2", "--wait", "100ms"])).rejects.toThrow(
      /is draining, and has not left yet/,
    );
    // The asked one leaves; the other members have doors where nobody answers.
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const address = closed.address();
    if (address === null || typeof address === "string") throw new Error("the test server is not listening");
    closed.close();
    await once(closed, "close");
    const members = exampleStatus().members.map((member) => ({ ...member, httpPort: address.port }));
    answer = (request, response) => {
      if (request.method === "POST") response.writeHead(204).end();
      else response.end(JSON.stringify(exampleStatus({ members })));
    };
    await expect(run(["leave", "--wait", "300ms"])).rejects.toThrow(/is draining, and has not left yet/);
  });

  it("ends with 1 when a key is not there", async () => {
    answer = (_request, response) =>
      response.writeHead(404).end('{"code":"KEY_NOT_FOUND","message":"no such key"}');
    expect(await run(["get", "k"])).toEqual({ code: 1, output: "", errors: "crema: no such key: k\n" });
    expect((await run(["del", "k"])).code).toBe(1);
  });

  it("does not take the 404 of another program for a missing key", async () => {
    answer = (_request, response) => response.writeHead(404).end("nothing here");
    await expect(run(["get", "k"])).rejects.toThrow("HTTP 404: nothing here");
  });

  it("joins by address and drains by any name a member has", async () => {
    await run(["join", "10.0.0.9:7946", "10.0.0.10:7946"]);
    await run(["leave"]);
    for (const name of ["bbbb", NODE_B, "node-2", "127.0.0.1:7947"]) await run(["leave", name]);
    expect(
      seen.filter(({ line }) => line.startsWith("POST")).map(({ line, body }) => `${line} ${body}`),
    ).toEqual([
      'POST /admin/join {"seeds":["10.0.0.9:7946","10.0.0.10:7946"]}',
      "POST /admin/leave {}",
      ...Array.from({ length: 4 }, () => `POST /admin/leave {"nodeId":"${NODE_B}"}`),
    ]);
    await expect(run(["leave", "zzzz"])).rejects.toThrow("no member is called 'zzzz'");
    await run(["join", "10.0.0.9"]);
    expect(seen.at(-1)?.body).toBe('{"seeds":["10.0.0.9:7946"]}');
    await expect(run(["join", "a:b:c"])).rejects.toThrow("'a:b:c' is not host:port");
  });

  it("prints events as lines and skips heartbeats", async () => {
    answer = (_request, response) => {
      response.write('{"type":"heartbeat"}\n{"type":"map-ch');
      response.end('anged","version":4}\n\n');
    };
    const { output, code } = await run(["events"]);
    expect(output).toMatch(/^\d\d:\d\d:\d\d {2}cluster map is at version 4\n$/);
    expect(code).toBe(1);
    expect((await run(["events", "--json"])).output).toBe('{"type":"map-changed","version":4}\n');
  });

  it("says so when the stream of events breaks off", async () => {
    answer = (_request, response) => {
      response.write('{"type":"ready"}\n');
      setImmediate(() => response.destroy());
    };
    await expect(run(["events"])).rejects.toThrow(/^127\.0\.0\.1:\d+ hung up$/);
  });

  it("repeats what the node says when it refuses, and whether a write may have happened", async () => {
    answer = (_request, response) => {
      const failure = {
        code: "CREMA_TIMEOUT",
        message: "no answer in 5 s",
        retryable: true,
        ambiguous: true,
      };
      response.writeHead(504).end(JSON.stringify(failure));
    };
    await expect(run(["set", "k", "v"])).rejects.toThrow(
      "no answer in 5 s [CREMA_TIMEOUT]\nThe write may or may not have been applied.",
    );
    answer = (_request, response) => response.writeHead(502).end("<html>");
    await expect(run(["status"])).rejects.toThrow("HTTP 502: <html>");
  });

  it("says what address nobody answers at, and what to do", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    if (address === null || typeof address === "string") throw new Error("the test server is not listening");
    other.close();
    await once(other, "close");
    const failure = await new ClusterHttp(`127.0.0.1:${address.port}`)
      .status()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CommandFailed);
    expect(String(failure)).toContain(`nobody answers at http://127.0.0.1:${address.port} (ECONNREFUSED)`);
    expect(String(failure)).toContain("--http host:port or CREMA_HTTP");
  });
});

describe("the command line of crema", () => {
  it.each([
    [[], "which command?"],
    [["stats"], "unknown command 'stats'; did you mean status?"],
    [["status", "--jsn"], "unknown flag --jsn of 'status'; did you mean --json?"],
    [["status", "extra"], "unexpected argument 'extra' after status"],
    [["rebalance"], "which command of rebalance: status or pause or resume?"],
    [["get"], /needs? .*key|Not enough/],
    [["get", "a", "b"], "unexpected argument 'b' after get"],
    [["set", "k", "v", "--ttl"], "--ttl needs a value: duration"],
    [["status", "--http", "a:1", "--http", "b:1"], "--http was given 2 times; it takes one value"],
    [["status", "--http"], "--http needs a value: host:port"],
  ])("refuses %j", async (argv, message) => {
    const refusal = await readCommandLine(argv).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UsageError);
    if (refusal instanceof Error) expect(refusal.message).toMatch(message);
  });

  it.each(["soon", "0", "-1"])("refuses the time to live %s", async (ttl) => {
    await expect(run(["set", "k", "v", `--ttl=${ttl}`])).rejects.toThrow(UsageError);
  });

  it.each(["soon", "0", "-1"])("refuses to wait for %s", async (time) => {
    await expect(run(["leave", `--wait=${time}`])).rejects.toThrow(UsageError);
    expect(seen).toEqual([]);
  });

  it.each(["0", "10", "three", ""])("refuses to start %j nodes", async (nodes) => {
    await expect(run(["local", `--nodes=${nodes}`])).rejects.toThrow(UsageError);
  });
});

describe("recover", () => {
  const plan: RecoveryPlan = {
    lost: [NODE_B],
    obstacle: null,
    steps: [
      {
        group: groupId(0),
        node: NODE_A,
        lastIndex: 17,
        lastTerm: 2,
        voters: [NODE_A, NODE_B],
        answering: [NODE_A],
      },
      { group: groupId(4), node: NODE_A, lastIndex: 0, lastTerm: 0, voters: [NODE_B], answering: [] },
    ],
  };

  function answerWith(told: RecoveryPlan): void {
    answer = (request, response) => {
      response.end(JSON.stringify(request.url === "/status" ? exampleStatus() : told));
    };
  }

  it("without --force tells what it would do and what it costs, and does nothing", async () => {
    answerWith(plan);
    const { code, output } = await run(["recover"]);
    expect(code).toBe(0);
    expect(output).toMatch(/system +aaaa bbbb +aaaa +aaaa +17/);
    expect(output).toMatch(/shard 3 +bbbb +- +aaaa +nothing left/);
    expect(output).toContain("Of 1 shard no replica is left");
    expect(output).toContain("Nothing was done.");
    expect(seen.map(({ line }) => line).sort()).toEqual(["GET /admin/recover", "GET /status"]);
  });

  it("with --force orders it for exactly the members it has named", async () => {
    answerWith(plan);
    const { code, output } = await run(["recover", "--force"]);
    expect(code).toBe(0);
    expect(output).toContain("Done: 2 groups go on.");
    expect(seen.at(-1)).toEqual({ line: "POST /admin/recover", body: JSON.stringify({ lost: [NODE_B] }) });
  });

  it("says why it cannot be done yet", async () => {
    answerWith({ ...plan, obstacle: "node x still hears of node y" });
    expect((await run(["recover"])).output).toContain("It cannot be done now: node x still hears of node y.");
  });

  it("orders nothing when there is nothing to recover, and prints JSON for programs", async () => {
    answerWith({ lost: [], obstacle: null, steps: [] });
    expect((await run(["recover", "--force"])).output).toContain("there is nothing to recover");
    expect(JSON.parse((await run(["recover", "--json"])).output)).toEqual({
      lost: [],
      obstacle: null,
      steps: [],
    });
    expect(seen.every(({ line }) => line.startsWith("GET "))).toBe(true);
  });
});
