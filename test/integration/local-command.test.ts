/**
 * `crema local` and the operator's commands, as a user runs them.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import type { ClusterStatus } from "../../src/index.ts";
import { ROOT } from "../architecture/imports.ts";
import { waitUntil } from "./wait-until.ts";

const CREMA = `${ROOT}dist/cli/crema.js`;

it("crema local shows three nodes find each other, serves, and leaves no process behind", async () => {
  const local = startLocal();
  await waitUntil("the cluster is ready", 40_000, () =>
    local.output().includes("Ctrl-C stops all nodes") ? true : null,
  );
  const output = local.output();
  expect(output).toContain(
    "3 of 3 nodes found each other, 16 of 16 leaders elected, 16 of 16 shards on 3 nodes",
  );
  expect(output).toMatch(/redis-cli -p \d+ set user:1 Alice\n {2}redis-cli -p \d+ get user:1\n/);
  const http = /crema status --http (\S+)/.exec(output)?.[1] ?? "";
  const pids = childPids(output);
  expect(pids).toHaveLength(3);

  const crema = async (...argv: readonly string[]) =>
    (await promisify(execFile)(process.execPath, [CREMA, ...argv, "--http", http])).stdout;
  expect(await crema("set", "user:1", "Alice")).toBe("OK\n");
  expect(await crema("get", "user:1")).toBe("Alice\n");
  expect(await crema("del", "user:1")).toBe("OK\n");
  const status: ClusterStatus = JSON.parse(await crema("status", "--json"));
  expect(status.members.map((member) => member.state)).toEqual(["alive", "alive", "alive"]);
  expect(status.shards.every((shard) => shard.leader !== null && shard.voters.length === 3)).toBe(true);
  expect(await crema("status")).toContain("16 of 16 shards led");

  local.process.kill("SIGINT");
  expect(await once(local.process, "exit")).toEqual([0, null]);
  expect(pids.filter(isRunning)).toEqual([]);
}, 60_000);

it("crema local ends with the npm script that started it", async () => {
  // As npm does: through a shell that does not pass signals on.
  const shell = spawn("sh", ["-c", `${process.execPath} ${CREMA} local --nodes 1; true`], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, npm_lifecycle_event: "start" },
  });
  let output = "";
  shell.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  await waitUntil("the node is ready", 40_000, () => (output.includes("Ctrl-C stops") ? true : null));
  const pids = childPids(output);
  shell.kill("SIGTERM");
  await waitUntil("no node runs", 10_000, () => (pids.some(isRunning) ? null : true));
}, 60_000);

it("the nodes of crema local end with it even when it is killed", async () => {
  const local = startLocal("--nodes", "2");
  await waitUntil("the cluster is ready", 40_000, () =>
    local.output().includes("Ctrl-C stops all nodes") ? true : null,
  );
  const pids = childPids(local.output());
  expect(pids).toHaveLength(2);
  local.process.kill("SIGKILL");
  await waitUntil("no node runs", 10_000, () => (pids.some(isRunning) ? null : true));
}, 60_000);

function startLocal(...flags: readonly string[]): { process: ChildProcess; output: () => string } {
  let output = "";
  const child = spawn(process.execPath, [CREMA, "local", ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  child.stdout?.on("data", (chunk) => {
    output += String(chunk);
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return { process: child, output: () => output };
}

/** The process ids in the table that `crema local` prints when it is ready. */
function childPids(output: string): readonly number[] {
  return [...output.matchAll(/^node-\d +(\d+) /gm)].map((match) => Number(match[1]));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
