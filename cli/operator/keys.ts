/**
 * `crema get`, `crema set` and `crema del`: single keys, for people and shell scripts.
 */
import { buffer } from "node:stream/consumers";
import { parseDurationMs } from "../duration.ts";
import { UsageError } from "../usage-error.ts";
import type { OperatorCommand } from "./command.ts";

export const getCommand: OperatorCommand = {
  name: "get",
  usage: "<key>",
  meaning: "print a value; exit code 1 when there is no such key",
  flags: [
    { name: "local", meaning: "read the node's own replica: faster, may be stale", placeholder: null },
    { name: "raw", meaning: "print the bytes alone, without a line end", placeholder: null },
  ],
  examples: [["$0 get user:1", "the value, never stale"]],
  async run(given, { cluster, stdout }) {
    const key = given.positional.key ?? "";
    const value = await cluster.get(key, given.flags.local === undefined ? "linearizable" : "local");
    if (value === null) {
      process.stderr.write(`crema: no such key: ${key}\n`);
      return 1;
    }
    stdout.write(value);
    if (given.flags.raw === undefined) stdout.write("\n");
    return 0;
  },
};

export const setCommand: OperatorCommand = {
  name: "set",
  usage: "<key> [value]",
  meaning: "store a value; without one, what standard input holds",
  flags: [
    { name: "ttl", meaning: "remove the key after this time, like 30s or 1h", placeholder: "duration" },
  ],
  examples: [
    ["$0 set user:1 Alice --ttl 1h", "store a value for an hour"],
    ["$0 set photo:1 < alice.jpg", "store a file"],
  ],
  async run(given, { cluster, stdin, stdout }) {
    const ttlText = given.flags.ttl;
    const ttlMs = ttlText === undefined ? null : parseDurationMs(ttlText);
    if (ttlText !== undefined && (ttlMs === null || ttlMs === 0)) {
      throw new UsageError(`--ttl: '${ttlText}' is not a duration, like 30s, 10m or 1h`);
    }
    const value = given.positional.value;
    if (value === undefined && stdin.isTTY)
      throw new UsageError("set needs a value, or one on standard input");
    await cluster.set(given.positional.key ?? "", value ?? (await buffer(stdin)), ttlMs);
    stdout.write("OK\n");
    return 0;
  },
};

export const delCommand: OperatorCommand = {
  name: "del",
  usage: "<key>",
  meaning: "remove a key; exit code 1 when there is no such key",
  flags: [],
  examples: [],
  async run(given, { cluster, stdout }) {
    const key = given.positional.key ?? "";
    if (await cluster.delete(key)) {
      stdout.write("OK\n");
      return 0;
    }
    process.stderr.write(`crema: no such key: ${key}\n`);
    return 1;
  },
};
