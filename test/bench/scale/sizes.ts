/**
 * What grows, and how much load each size is given.
 */
import type { Data } from "../job.ts";

export interface Size {
  readonly nodes: number;
  readonly shards: number;
  readonly valueBytes: number;
  readonly keys: number;
}

export type Growing = keyof Size;

export const USUAL: Size = Object.freeze({ nodes: 3, shards: 16, valueBytes: 64, keys: 100_000 });
export const GROWTH: Readonly<Record<Growing, readonly number[]>> = Object.freeze({
  shards: [1, 4, 16, 64, 256],
  nodes: [3, 5, 7],
  valueBytes: [16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576],
  keys: [1_000, 10_000, 100_000, 1_000_000],
});

/** Stored values are held by every node of this machine, and by the load as requests. */
const STORED_BYTES_MAX = 64 * 1024 * 1024;
/** Asked for at once: what a node takes before it says that it is busy is a limit, not a speed. */
const OUTSTANDING_BYTES_MAX = 4 * 1024 * 1024;
const CONNECTIONS_MAX = 64;
const PIPELINE_MAX = 8;
const CLIENTS_MIN = 8;

export interface Shape {
  readonly connections: number;
  readonly pipeline: number;
  readonly data: Data;
}

/** Large values are fewer, and fewer are asked for at once. */
export function shapeOf({ keys, valueBytes }: Size): Shape {
  const fits = valueBytes <= USUAL.valueBytes ? keys : STORED_BYTES_MAX / valueBytes;
  const outstanding = Math.max(CLIENTS_MIN, Math.floor(OUTSTANDING_BYTES_MAX / valueBytes));
  const connections = Math.min(CONNECTIONS_MAX, outstanding);
  const pipeline = Math.min(PIPELINE_MAX, Math.floor(outstanding / connections));
  return { connections, pipeline, data: { firstKey: 0, keys: Math.min(keys, fits), valueBytes } };
}

/** As people write it; bytes with the unit that makes the number small. */
export function sizeText(growing: Growing, size: number): string {
  if (growing !== "valueBytes") return size.toLocaleString("en");
  const units = ["B", "KiB", "MiB"];
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(size) / 10));
  return `${size / 1_024 ** unit} ${units[unit]}`;
}
