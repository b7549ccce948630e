/**
 * The two programs as processes: what they print, and how they end.
 */
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { ROOT, readSource } from "../architecture/imports.ts";
import { TestCluster } from "./harness.ts";
import { waitUntil } from "./wait-until.ts";

const version: string = JSON.parse(readSource("package.json")).version;

function run(program: "crema" | "crema-node", ...argv: readonly string[]) {
  const env = { ...process.env, CREMA_HTTP: "127.0.0.1:1" };
  return spawnSync(process.execPath, [`${ROOT}dist/cli/${program}.js`, ...argv], { encoding: "utf8", env });
}

it.each(["crema", "crema-node"] as const)("%s tells its version and its use", (program) => {
  expect(run(program, "--version")).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: "" });
  const help = run(program, "--help");
  expect(help.status).toBe(0);
  expect(help.stdout).toContain("Examples:");
  for (const line of help.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(120);
});

it("crema ends with 2 when it is not understood and with 1 when nobody answers", () => {
  expect(run("crema", "stats")).toMatchObject({
    status: 2,
    stderr: "crema: unknown command 'stats'; did you mean status?\nTry 'crema --help'.\n",
  });
  expect(run("crema", "status", "--http", "a:b:c")).toMatchObject({ status: 2 });
  const unanswered = run("crema", "status");
  expect(unanswered.status).toBe(1);
  expect(unanswered.stderr).toMatch(/^crema: nobody answers at http:\/\/127\.0\.0\.1:1 /);
});

it("crema-node says in one JSON line that it is ready, and closes the doors it is told to", async () => {
  const cluster = new TestCluster();
  const node = cluster.launch({ "resp-port": "", "log-level": "info" }, ["--no-resp"]);
  await node.untilReady();
  expect(node.lines.filter((line) => line.includes("crema-node ready"))).toHaveLength(1);
  expect(node.ready).toMatchObject({
    level: "info",
    msg: "crema-node ready",
    nodeId: expect.stringMatching(/^[0-9a-f]{16}$/),
    clusterId: expect.stringMatching(/^[0-9a-f]{16}$/),
    cluster: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    resp: null,
    http: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
  });
});

it("crema-node prints readable lines when told to, without colours in a pipe", async () => {
  const cluster = new TestCluster();
  const node = cluster.launch({ "log-format": "pretty" });
  const line = await waitUntil(
    "the node is ready",
    20_000,
    () => node.lines.find((each) => each.includes("crema-node ready")) ?? null,
  );
  expect(line).toMatch(/^\[\d\d:\d\d:\d\d\.\d\d\d\] INFO: crema-node ready \{"nodeId":"[0-9a-f]{16}"/);
});

it("crema-node stops in order at the first signal and at once at the second", async () => {
  const cluster = new TestCluster();
  const [alone] = await cluster.start(1);
  expect(await alone?.terminate()).toEqual({ code: 0, signal: null });

  // Of two nodes one cannot hand over to a third; frozen, the other cannot even answer: leaving takes its budget.
  const pair = new TestCluster();
  const [first, second] = await pair.start(2, { "drain-timeout": "60s" });
  second?.signal("SIGSTOP");
  first?.signal("SIGTERM");
  first?.signal("SIGINT");
  expect(await first?.exited).toEqual({ code: 1, signal: null });
});

it("crema-node ends when the process that started it is gone", async () => {
  const cluster = new TestCluster();
  const [node] = await cluster.start(1);
  node?.disconnect();
  expect(await node?.exited).toEqual({ code: 1, signal: null });
});

it("a node that is asked to leave hands over and ends with exit code 0", async () => {
  const cluster = new TestCluster();
  const [, , third] = await cluster.start(3);
  expect(run("crema", "leave", "--http", third?.ready.http ?? "")).toMatchObject({
    status: 0,
    stdout: "OK\n",
  });
  expect(await third?.exited).toEqual({ code: 0, signal: null });
  const { members } = await cluster.untilSettled();
  expect(members.map((member) => member.nodeId)).not.toContain(third?.ready.nodeId);
}, 60_000);

it("a node that another one is asked to drain hands over and ends with exit code 0", async () => {
  const cluster = new TestCluster();
  const [first, second] = await cluster.start(3);
  const leaving = second?.ready.nodeId ?? "";
  expect(run("crema", "leave", leaving, "--http", first?.ready.http ?? "")).toMatchObject({
    status: 0,
    stdout: "OK\n",
  });
  expect(await second?.exited).toEqual({ code: 0, signal: null });
  await cluster.untilSettled();
}, 60_000);

it("crema-node logs an error that nobody caught and ends with 1", () => {
  const planted = "data:text/javascript,setTimeout(()=>{throw new Error('planted')},1500)";
  const flags = ["--port", "0", "--resp-port", "0", "--http-port", "0", "--log-format", "json"];
  const { status, stdout } = spawnSync(
    process.execPath,
    ["--import", planted, `${ROOT}dist/cli/crema-node.js`, ...flags],
    { encoding: "utf8", timeout: 15_000 },
  );
  expect(status).toBe(1);
  const line = stdout.split("\n").find((each) => each.includes("planted")) ?? "{}";
  expect(JSON.parse(line)).toMatchObject({
    level: "fatal",
    msg: "crema-node failed",
    err: { message: "planted" },
  });
});
