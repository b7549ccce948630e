/**
 * What a key costs in memory, by the process: what a node of ours, and what a redis-server, have grown by once all keys are stored.
 * Every node holds all keys, as one redis-server does.
 *
 * V8 lets garbage lie until it needs the room, so ours are told to collect it before each look; Redis frees at once. What a
 * node needs beside its entries is in it: the logs of its shards first of all, which are bounded and do not grow with the keys.
 */
import { readFileSync } from "node:fs";
import type { CremaProcess } from "../clusters/crema-process.ts";
import { startRedis } from "../clusters/redis.ts";
import type { RespWork } from "../job.ts";
import { askOnce } from "../load/ask-once.ts";
import { median } from "../pairing.ts";
import { type Program, pathOf } from "../programs.ts";
import { prefillWork } from "../stage.ts";
import { TemporaryDirectory } from "../temporary-directory.ts";
import { waitUntil } from "../wait-until.ts";
import type { WorkerProcess } from "../worker-process.ts";

const REPLICATED_WITHIN_MS = 60_000;
const INFO_WITHIN_MS = 5_000;

/** Bytes for each key that was stored. */
export interface OurMemory {
  /** The heap of V8 and what it holds outside of it. */
  readonly held: number;
  /** Of these the logs of the shards. */
  readonly logs: number;
  /** What `--max-memory` counts. */
  readonly accounted: number;
  readonly resident: number;
}

export interface RedisMemory {
  /** `used_memory`. */
  readonly held: number;
  readonly resident: number;
}

export interface KeyMemory {
  /** Of the node in the middle. */
  readonly ours: OurMemory;
  /** null: it is not installed. */
  readonly redis: RedisMemory | null;
}

/** In bytes, of each node. Collects their garbage. */
export async function memoryOf(nodes: readonly CremaProcess[]): Promise<readonly OurMemory[]> {
  const samples: OurMemory[] = [];
  for (const node of nodes) {
    await node.collectGarbage();
    const metric = await node.metrics();
    samples.push({
      held: metric("crema_nodejs_heap_size_used_bytes") + metric("crema_nodejs_external_memory_bytes"),
      logs: metric("crema_raft_log_bytes"),
      accounted: metric("crema_cache_accounted_bytes"),
      resident: metric("crema_process_resident_memory_bytes"),
    });
  }
  return samples;
}

/** Resolves once every node holds so many keys. */
export async function untilReplicated(nodes: readonly CremaProcess[], keys: number): Promise<void> {
  for (const node of nodes)
    await waitUntil(`${node.server.label} holds ${keys} keys`, REPLICATED_WITHIN_MS, async () => {
      const metric = await node.metrics();
      const held = metric("crema_cache_replica_keys");
      return held === keys ? null : `it holds ${held}`;
    });
}

/** Of the node in the middle, for each key. */
export function growthPerKey(
  before: readonly OurMemory[],
  after: readonly OurMemory[],
  keys: number,
): OurMemory {
  const grown = (read: (memory: OurMemory) => number) =>
    median(after.map((memory, at) => read(memory) - read(before[at] as OurMemory))) / keys;
  return {
    held: grown(({ held }) => held),
    logs: grown(({ logs }) => logs),
    accounted: grown(({ accounted }) => accounted),
    resident: grown(({ resident }) => resident),
  };
}

/** Stores the same data in a redis-server alone. null: there is none. */
export async function redisMemoryPerKey(
  redis: Program,
  worker: WorkerProcess,
  work: RespWork,
): Promise<RedisMemory | null> {
  if (redis.path === null) return null;
  const directory = new TemporaryDirectory();
  try {
    const server = await startRedis(pathOf(redis), directory.path, { durable: false, replicas: 0 });
    try {
      const [port = 0] = server.ports;
      const [pid = 0] = server.pids;
      const look = async () => ({ held: await usedMemory(port), resident: residentBytes(pid) });
      const before = await look();
      await worker.prefill(prefillWork(work), [port]);
      const after = await look();
      const { keys } = work.data;
      return {
        held: (after.held - before.held) / keys,
        resident: (after.resident - before.resident) / keys,
      };
    } finally {
      await server.close();
    }
  } finally {
    directory.remove();
  }
}

async function usedMemory(port: number): Promise<number> {
  const info = await askOnce(port, INFO_WITHIN_MS, "INFO", "memory");
  return numberIn(/^used_memory:(\d+)/m, info, "redis-server says nothing of its memory");
}

/** As the metrics page of a node tells of itself. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return 1_024 * numberIn(/^VmRSS:\s+(\d+) kB/m, status, `process ${pid} has no resident memory`);
}

function numberIn(pattern: RegExp, text: string, failure: string): number {
  const number = pattern.exec(text)?.[1];
  if (number === undefined) throw new Error(failure);
  return Number(number);
}
