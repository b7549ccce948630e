/**
 * `crema` as a process, and a cluster's keys by a Redis client, for tests of backups.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Redis } from "ioredis";
import { onTestFinished } from "vitest";
import { readBackupFile } from "../../cli/backup/backup-file.ts";
import { decodeBackupEntries } from "../../src/wire/backup-codec.ts";
import { ROOT } from "../architecture/imports.ts";
import type { NodeProcess } from "./node-process.ts";

const PIPELINE_DEPTH = 1_000;

export interface CommandEnd {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs `crema` against the HTTP door of `node`. */
export async function crema(node: NodeProcess, ...argv: readonly string[]): Promise<CommandEnd> {
  const child = spawn(process.execPath, [`${ROOT}dist/cli/crema.js`, ...argv, "--http", node.ready.http]);
  const ended = once(child, "exit");
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await ended;
  return { code, output, errors };
}

/** A folder that goes with the test. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "crema-test-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** A client that goes with the test. */
export function redisAt(node: NodeProcess): Redis {
  const redis = new Redis({ port: node.respPort, host: "127.0.0.1" });
  redis.on("error", () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}

export interface StoredValue {
  readonly value: Buffer;
  /** null: for ever. */
  readonly ttlMs: number | null;
}

/** Keys are binary, written as latin1. */
export type Stored = Map<string, StoredValue>;

export async function storeAll(redis: Redis, entries: Stored): Promise<void> {
  await inPipelines([...entries], async (part) => {
    const pipeline = redis.pipeline();
    for (const [key, { value, ttlMs }] of part) {
      const name = Buffer.from(key, "latin1");
      if (ttlMs === null) pipeline.set(name, value);
      else pipeline.set(name, value, "PX", ttlMs);
    }
    throwFirst(await pipeline.exec());
  });
}

/** What the cluster holds under `keys`. */
export async function readAll(redis: Redis, keys: Iterable<string>): Promise<Stored> {
  const found: Stored = new Map();
  await inPipelines([...keys], async (part) => {
    const pipeline = redis.pipeline();
    for (const key of part) {
      pipeline.getBuffer(Buffer.from(key, "latin1"));
      pipeline.pttl(Buffer.from(key, "latin1"));
    }
    const replies = throwFirst(await pipeline.exec());
    for (const [at, key] of part.entries()) {
      const [value, ttlMs] = [replies[2 * at], Number(replies[2 * at + 1])];
      if (value instanceof Buffer) found.set(key, { value, ttlMs: ttlMs < 0 ? null : ttlMs });
    }
  });
  return found;
}

/** The keys in a backup file, with their values. */
export async function entriesOf(path: string): Promise<Stored> {
  const found: Stored = new Map();
  await readBackupFile(path, true, ({ frame }) => {
    if (frame?.type !== "block") return;
    for (const { key, value, remainingMs } of decodeBackupEntries(frame)) {
      found.set(key, { value: Buffer.from(value, "latin1"), ttlMs: remainingMs });
    }
  });
  return found;
}

/** The first key that is not the same on both sides, times to live apart; null when there is none. */
export function firstDifference(expected: Stored, actual: Stored): string | null {
  for (const [key, { value }] of expected) {
    const other = actual.get(key);
    if (other === undefined) return `${JSON.stringify(key)} is missing`;
    if (!other.value.equals(value)) return `${JSON.stringify(key)} has another value`;
  }
  for (const key of actual.keys())
    if (!expected.has(key)) return `${JSON.stringify(key)} should not be there`;
  return null;
}

async function inPipelines<Item>(
  items: readonly Item[],
  run: (part: readonly Item[]) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < items.length; at += PIPELINE_DEPTH) await run(items.slice(at, at + PIPELINE_DEPTH));
}

function throwFirst(results: [Error | null, unknown][] | null): readonly unknown[] {
  return (results ?? []).map(([error, value]) => {
    if (error !== null) throw error;
    return value;
  });
}
