/**
 * Requests of the Redis protocol as bytes, all made before anything is measured: one buffer for each batch that a connection
 * sends at once.
 */
import { Buffer } from "node:buffer";
import { keyText, type RespWork, scattered, valueText } from "../job.ts";
import type { ExpectedReply } from "./reply-counter.ts";

export interface RespBatches {
  /** Together they name every key once. */
  readonly buffers: readonly Buffer[];
  /** Sent by itself when all but the last of `expected` have come; null: nothing is. */
  readonly afterwards: Buffer | null;
  /** What each is answered with. */
  readonly expected: readonly ExpectedReply[];
  /** Commands in each that count as operations. */
  readonly operations: number;
}

export function respBatches(work: RespWork): RespBatches {
  const { command, pipeline, waitForReplica } = work;
  const { firstKey, keys, valueBytes } = work.data;
  if (keys % pipeline !== 0) throw new RangeError(`${keys} keys make no whole batches of ${pipeline}`);
  const buffers: Buffer[] = [];
  for (let first = 0; first < keys; first += pipeline) {
    let text = "";
    for (let position = first; position < first + pipeline; position++) {
      const number = firstKey + scattered(position, keys);
      text +=
        command === "SET"
          ? request("SET", keyText(number), valueText(number, valueBytes))
          : request("GET", keyText(number));
    }
    if (waitForReplica === "with-batch") text += WAIT;
    buffers.push(Buffer.from(text, "latin1"));
  }
  const reply: ExpectedReply =
    command === "SET" ? "status" : { bulkBytes: valueBytes, mayMiss: work.mayMiss ?? false };
  const expected = Array.from({ length: pipeline }, () => reply);
  return {
    buffers,
    afterwards: waitForReplica === "when-answered" ? Buffer.from(WAIT, "latin1") : null,
    expected: waitForReplica === "no" ? expected : [...expected, "replicas"],
    operations: pipeline,
  };
}

const WAIT = request("WAIT", "1", "0");

/** One command; every part is one byte per character. */
export function request(...parts: readonly string[]): string {
  return `*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join("")}`;
}
