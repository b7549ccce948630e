/**
 * What one entry costs in memory, keys of 16 bytes and values of 64, put into shards the way the log puts them there.
 *
 *     npx vitest bench --run test/bench/memory-per-entry.bench.ts
 *
 * prints the table of docs/benchmarks.md. The constants of `src/cache/memory-cost.ts` come from it. When a
 * `redis-server` is found (on the PATH, or where `REDIS_SERVER` says), it holds the same data for comparison.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { bench, describe } from "vitest";
import { bootNonce, logIndex, nodeId } from "../../src/base/ids.ts";
import { CacheMachine } from "../../src/cache/cache-machine.ts";
import type { SessionCommand } from "../../src/cache/command.ts";
import { HeatMeter, USES_MAX } from "../../src/cache/heat.ts";
import { BatchBuilder } from "../../src/wire/batch-builder.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";
import { decodeBatch, encodeSessionCommand } from "../../src/wire/command-codec.ts";
import { RespClient } from "../integration/resp-client.ts";

const SHARDS = 16;
const KEY_BYTES = 16;
const VALUE_BYTES = 64;
const TTL_MS = 3_600_000;
const PER_BATCH = 500;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

interface Row {
  readonly what: string;
  readonly entries: number;
  readonly bytesPerEntry: number;
  readonly accounted: number | null;
  /** By what redis-server needs for the same data; null: there is none, or it is that. */
  readonly ratio: number | null;
}

function keyOf(n: number): string {
  return `key:${String(n).padStart(KEY_BYTES - 4, "0")}`;
}

function valueText(n: number): string {
  return String(n).padStart(VALUE_BYTES, "v");
}

function heldBytes(): number {
  for (let round = 0; round < 3; round++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Fills shards by entries that were encoded, batched and decoded again, as those of a log. */
class Shards {
  readonly #machines = Array.from(
    { length: SHARDS },
    () => new CacheMachine({ changeHistoryMax: 1 }, new HeatMeter(USES_MAX.lru, null)),
  );
  readonly #sessions: number[] = [];
  #index = 1;
  #sequence = 0;

  constructor() {
    const open = {
      type: "open-session",
      node: nodeId("00000000000000aa"),
      boot: bootNonce("00000000000000bb"),
    } as const;
    for (const machine of this.#machines) {
      const [id] = machine.apply(logIndex(1), 0, [{ session: 0, sequence: 0, lowWater: 0, command: open }]);
      this.#sessions.push(id as number);
    }
  }

  get accountedBytes(): number {
    return this.#machines.reduce((sum, machine) => sum + machine.accountedBytes, 0);
  }

  fill(entries: number, ttlMs: number): void {
    for (let first = 0; first < entries; first += PER_BATCH * SHARDS) {
      this.#index++;
      for (const [shard, machine] of this.#machines.entries()) {
        const batch = new BatchBuilder();
        const writer = new ByteWriter(256);
        for (let at = 0; at < PER_BATCH; at++) {
          const n = first + at * SHARDS + shard;
          if (n >= entries) break;
          writer.reset();
          encodeSessionCommand(writer, this.#set(n, ttlMs, this.#sessions[shard] as number));
          batch.append(writer.view());
        }
        const { stampMs, commands } = decodeBatch(batch.finish(1));
        machine.apply(logIndex(this.#index), stampMs, commands);
      }
    }
  }

  #set(n: number, ttlMs: number, session: number): SessionCommand {
    const sequence = ++this.#sequence;
    return {
      session,
      sequence,
      lowWater: sequence,
      command: {
        type: "set",
        key: keyOf(n),
        value: valueText(n),
        ttlMs,
        condition: "always",
        expectedVersion: 0,
        returnOld: false,
      },
    };
  }
}

function measureCrema(entries: number, ttlMs: number): Row {
  const before = heldBytes();
  const shards = new Shards();
  shards.fill(entries, ttlMs);
  const bytesPerEntry = (heldBytes() - before) / entries;
  const accounted = shards.accountedBytes / entries;
  const what = ttlMs === 0 ? "crema" : "crema, each with an expiry";
  return { what, entries, bytesPerEntry, accounted, ratio: null };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** null when there is none to be found. */
async function startRedis(port: number, folder: string): Promise<ChildProcess | null> {
  const program = process.env.REDIS_SERVER ?? "redis-server";
  const child = spawn(
    program,
    ["--port", String(port), "--save", "", "--appendonly", "no", "--dir", folder],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  return await new Promise((resolve) => {
    child.once("error", () => resolve(null));
    child.stdout?.on("data", (text: Buffer) => {
      if (text.includes("eady to accept connections")) resolve(child);
    });
  });
}

async function usedMemory(client: RespClient): Promise<number> {
  const info = String(await client.ask("INFO", "memory"));
  return Number(/used_memory:(\d+)/.exec(info)?.[1]);
}

async function measureRedis(entries: number, ttlMs: number): Promise<Row | null> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "crema-redis-"));
  const redis = await startRedis(port, folder);
  if (redis === null) return null;
  try {
    const client = await RespClient.open(port);
    const version = /redis_version:(\S+)/.exec(String(await client.ask("INFO", "server")))?.[1];
    const before = await usedMemory(client);
    for (let first = 0; first < entries; first += 10_000) {
      const last = Math.min(entries, first + 10_000);
      const answers: Promise<unknown>[] = [];
      for (let n = first; n < last; n++) {
        const expiry = ttlMs === 0 ? [] : ["PX", String(ttlMs)];
        answers.push(client.send("SET", keyOf(n), valueText(n), ...expiry));
      }
      await Promise.all(answers);
    }
    const bytesPerEntry = ((await usedMemory(client)) - before) / entries;
    client.close();
    const what = `redis-server ${version}${ttlMs === 0 ? "" : ", each with an expiry"}`;
    return { what, entries, bytesPerEntry, accounted: null, ratio: null };
  } finally {
    redis.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function print(rows: readonly Row[]): void {
  const lines = rows.map(({ what, entries, bytesPerEntry, accounted, ratio }) => {
    const beside = bytesPerEntry - KEY_BYTES - VALUE_BYTES;
    const counted = accounted === null ? "" : accounted.toFixed(0);
    const number = entries.toLocaleString("en");
    const compared = ratio === null ? "" : ratio.toFixed(2);
    return `| ${what} | ${number} | ${bytesPerEntry.toFixed(0)} | ${beside.toFixed(0)} | ${counted} | ${compared} |`;
  });
  console.log(
    [
      "| store | entries | bytes per entry | beside key and value | accounted | by redis-server's |",
      "| --- | ---: | ---: | ---: | ---: | ---: |",
      ...lines,
    ].join("\n"),
  );
}

describe("memory per entry", () => {
  bench(
    "keys of 16 bytes, values of 64",
    async () => {
      const rows: Row[] = [];
      for (const ttlMs of [0, TTL_MS]) {
        for (const entries of [600_000, 800_000, 1_000_000, 1_100_000]) {
          const ours = measureCrema(entries, ttlMs);
          const redis = await measureRedis(entries, ttlMs);
          if (redis === null) rows.push(ours);
          else rows.push({ ...ours, ratio: ours.bytesPerEntry / redis.bytesPerEntry }, redis);
        }
      }
      print(rows);
    },
    { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 },
  );
});
