/**
 * `crema health` against an HTTP door that answers what a test tells it to.
 */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CommandFailed } from "../../cli/command-failed.ts";
import { ClusterHttp } from "../../cli/operator/cluster-http.ts";
import { readCommandLine } from "../../cli/operator/command-line.ts";
import { PLAIN } from "../../cli/terminal/colours.ts";
import { UsageError } from "../../cli/usage-error.ts";

let server: Server;
let asked: string[];
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  server.closeAllConnections();
  if (!server.listening) return;
  server.close();
  await once(server, "close");
});

const says =
  (status: number, body: object) =>
  (response: ServerResponse): void =>
    void response.writeHead(status).end(JSON.stringify(body));

async function run(...argv: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the test server is not listening");
  const { command, given } = await readCommandLine(["health", ...argv]);
  let output = "";
  const stdout = new Writable({
    write(chunk, _encoding, done) {
      output += String(chunk);
      done();
    },
  });
  const cluster = new ClusterHttp(`127.0.0.1:${address.port}`);
  const context = { cluster, colours: PLAIN, stdout: stdout as never, stdin: process.stdin };
  return { code: await command.run(given, context), output };
}

describe("crema health", () => {
  it("is 0 when the node can serve", async () => {
    answer = says(200, { ready: true, reason: null });
    expect(await run()).toEqual({ code: 0, output: "ready\n" });
    expect(asked).toEqual(["GET /readyz"]);
  });

  it("fails with the node's own reason when it cannot", async () => {
    answer = says(503, { ready: false, reason: "no leader known for 3 of 16 shards" });
    await expect(run()).rejects.toThrow("not ready: no leader known for 3 of 16 shards");
  });

  it("asks whether the node may be stopped, and fails with the reason when it may not", async () => {
    answer = says(200, { safe: true, reason: null });
    expect(await run("--safe-to-stop")).toEqual({ code: 0, output: "safe to stop\n" });
    answer = says(409, { safe: false, reason: "shard 4 has no leader" });
    await expect(run("--safe-to-stop")).rejects.toThrow("not safe to stop: shard 4 has no leader");
    expect(asked).toEqual(["GET /safe-to-stop", "GET /safe-to-stop"]);
  });

  it("waits until it is so", async () => {
    answer = (response) => {
      const ready = asked.length === 3;
      says(ready ? 200 : 503, { ready, reason: ready ? null : "the node is leaving" })(response);
    };
    expect((await run("--wait", "1m")).output).toBe("ready\n");
    expect(asked).toHaveLength(3);
  });

  it("waits no longer than it was told", async () => {
    answer = says(409, { safe: false, reason: "shard 4 has no leader" });
    await expect(run("--safe-to-stop", "--wait", "600ms")).rejects.toThrow("not safe to stop: shard 4");
    expect(asked.length).toBeGreaterThanOrEqual(2);
  });

  it("fails when nobody answers, or not in time", async () => {
    answer = () => {};
    await expect(run("--timeout", "100ms")).rejects.toThrow(
      /not ready: 127\.0\.0\.1:\d+ did not answer in time/,
    );
    answer = (response) => response.destroy();
    await expect(run()).rejects.toThrow(/not ready: nobody answers at/);
  });

  it("does not take the word of something that is not a node", async () => {
    answer = (response) => void response.writeHead(503).end("<html>");
    await expect(run("--wait", "1m")).rejects.toThrow("HTTP 503: <html>");
    await expect(run()).rejects.toThrow(CommandFailed);
  });

  it.each([
    ["--wait", "soon"],
    ["--timeout", "never"],
    ["--timeout", "0"],
  ])("refuses %s %s", async (...flags) => {
    await expect(run(...flags)).rejects.toThrow(UsageError);
  });
});
