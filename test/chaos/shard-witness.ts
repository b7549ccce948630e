/**
 * Asks every shard at once, through one node: who needs to know when a cluster serves again asks for it instead of for a
 * status, which may be right while requests still fail.
 */
import { loadKeyHash } from "../../src/placement/key-hash.ts";
import { RespClient, type RespDoor, RespError, type RespValue } from "../integration/resp-client.ts";
import { waitUntil } from "../integration/wait-until.ts";

const keyHash = await loadKeyHash();

/** One key of every shard. */
export function keyPerShard(shardCount: number, prefix = "witness"): readonly string[] {
  const keys: string[] = Array.from({ length: shardCount });
  for (let missing = shardCount, number = 0; missing > 0; number++) {
    const key = `${prefix}:${number}`;
    const shard = keyHash.shardOf(key, shardCount);
    if (keys[shard] !== undefined) continue;
    keys[shard] = key;
    missing--;
  }
  return keys;
}

/** Resolves once a write to every shard was acknowledged through `door`. Writes that fail are made again. */
export async function untilWritten(
  door: RespDoor,
  shardCount: number,
  limitMs: number,
  value = "1",
): Promise<void> {
  const client = await RespClient.open(door);
  try {
    await Promise.all(
      keyPerShard(shardCount).map((key) =>
        waitUntil(`${key} is written through ${door}`, limitMs, async () =>
          (await client.ask("SET", key, value)) === "OK" ? true : null,
        ),
      ),
    );
  } finally {
    client.close();
  }
}

/** Resolves with the value of every shard's key once all were read through `door`. Reads that fail are made again. */
export async function untilRead(
  door: RespDoor,
  shardCount: number,
  limitMs: number,
): Promise<readonly RespValue[]> {
  const client = await RespClient.open(door);
  try {
    return await Promise.all(
      keyPerShard(shardCount).map(async (key) => {
        const read = await waitUntil(`${key} is read through ${door}`, limitMs, async () => ({
          value: await client.ask("GET", key),
        }));
        return read.value;
      }),
    );
  } finally {
    client.close();
  }
}

/** What became of one command per shard, and after how long. */
export interface ShardAnswer {
  readonly shard: number;
  readonly value: RespValue;
  readonly tookMs: number;
}

/** Asks once per shard; `command` says what for its key. */
export async function askEveryShard(
  door: RespDoor,
  shardCount: number,
  command: (key: string) => readonly string[],
): Promise<readonly ShardAnswer[]> {
  const client = await RespClient.open(door);
  const startedAtMs = performance.now();
  const answers = await Promise.all(
    keyPerShard(shardCount).map(async (key, shard): Promise<ShardAnswer> => {
      const value = await client.send(...command(key));
      return { shard, value, tookMs: Math.round(performance.now() - startedAtMs) };
    }),
  );
  client.close();
  return answers;
}

/** The error replies, as texts. */
export function refusals(answers: readonly ShardAnswer[]): readonly string[] {
  return answers.flatMap(({ value }) => (value instanceof RespError ? [value.message] : []));
}
