/**
 * A value of a few bytes that lives for long must not keep alive the network buffer in which it arrived.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { CremaNode } from "../../src/index.ts";
import { waitUntil } from "./wait-until.ts";

const VALUES = 1_000;
/** What stands between two values on the wire: more than one read of a socket brings. */
const BETWEEN_BYTES = 64 * 1024;
/** A pinned buffer per value would be eight times as much. */
const ALLOWED_BYTES = 8 * 1024 * 1024;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes outside the heap of V8 and in it, garbage gone. */
function heldBytes(): { readonly outside: number; readonly heap: number } {
  for (let round = 0; round < 4; round++) collect();
  const { external, heapUsed } = process.memoryUsage();
  return { outside: external, heap: heapUsed };
}

function request(...parts: readonly string[]): string {
  return `*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join("")}`;
}

it("values set through the Redis door out of one large chunk pin nothing of it", async () => {
  const node = await CremaNode.open({ port: 0, respPort: 0, shards: 4, drainTimeoutMs: 0 });
  try {
    await node.waitUntilReady();
    await node.put("warm", "up");
    const before = heldBytes();
    const socket = connect(node.respAddress?.port ?? 0, "127.0.0.1");
    await once(socket, "connect");
    let answeredBytes = 0;
    socket.on("data", (bytes) => {
      answeredBytes += bytes.length;
    });
    const filler = request("ECHO", "x".repeat(BETWEEN_BYTES));
    const parts = Array.from(
      { length: VALUES },
      (_, at) => request("SET", `key:${at}`, `value ${at}`) + filler,
    );
    socket.write(Buffer.from(parts.join(""), "latin1"));
    await waitUntil("all is answered", 30_000, () => (answeredBytes > VALUES * BETWEEN_BYTES ? true : null));
    await waitUntil("all is stored", 10_000, async () =>
      (await node.entryCount()) === VALUES + 1 ? true : null,
    );
    socket.destroy();
    parts.length = 0;
    await waitUntil("buffers are let go", 10_000, () => {
      const after = heldBytes();
      const outside = after.outside - before.outside;
      const heap = after.heap - before.heap;
      if (outside > ALLOWED_BYTES || heap > ALLOWED_BYTES)
        throw new Error(
          `${outside} bytes outside the heap and ${heap} in it are held for ${VALUES} small values`,
        );
      return true;
    });
    expect(await node.consistentGet("key:7")).toBe("value 7");
  } finally {
    await node.close();
  }
}, 60_000);
