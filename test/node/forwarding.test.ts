/**
 * Requests on their way to another node, where the bytes are written straight into the frame that carries them.
 */
import { describe, expect, test } from "vitest";
import { nodeId, shardId } from "../../src/base/ids.ts";
import type { Channel } from "../../src/host/links/channel.ts";
import { Forwarding, type RequestEncoder } from "../../src/node/forwarding.ts";
import { LeaderTable } from "../../src/node/leader-table.ts";
import { PendingRequest } from "../../src/node/pending-request.ts";
import type { ShardService } from "../../src/node/shard-service.ts";
import { ByteReader } from "../../src/wire/byte-reader.ts";
import { ByteWriter } from "../../src/wire/byte-writer.ts";

/** A channel that keeps its frames. */
class KeepingChannel {
  readonly remote = { node: nodeId("00000000000000aa") };
  readonly frames: Uint8Array[] = [];
  readonly #writer = new ByteWriter();
  #begun = false;

  beginFrame(): ByteWriter {
    if (this.#begun) throw new Error("one frame at a time");
    this.#begun = true;
    return this.#writer;
  }

  endFrame(): void {
    this.frames.push(this.#writer.copy());
    this.cancelFrame();
  }

  cancelFrame(): void {
    this.#begun = false;
    this.#writer.reset();
  }
}

class NoShards {
  propose(): void {}
}

const ENCODER: RequestEncoder = { encode: (_request, to) => to.latin1("what is asked") };

function newRequest(failures: string[]): PendingRequest {
  const owner = {
    onReply: () => {},
    onAttemptFailed: (_request: PendingRequest, why: string) => failures.push(why),
  };
  const sink = { reply: () => {}, fail: () => {} };
  const query = { type: "get", key: "k" } as const;
  return new PendingRequest(owner, "read", shardId(3), null, query, Number.POSITIVE_INFINITY, sink);
}

describe("forwarding", () => {
  test("a request that cannot be written is taken back, and the next one leaves whole", () => {
    const kept = new KeepingChannel();
    const channel = kept as unknown as Channel;
    const forwarding = new Forwarding(new NoShards() as unknown as ShardService, new LeaderTable(() => {}));
    const failures: string[] = [];
    const broken: RequestEncoder = {
      encode: (_request, to) => {
        to.latin1("half of it");
        throw new RangeError("not for the wire");
      },
    };
    expect(() => forwarding.send(channel, newRequest(failures), broken)).toThrow("not for the wire");
    expect(kept.frames).toEqual([]);
    expect(forwarding.send(channel, newRequest(failures), ENCODER)).toBe(true);
    const [frame] = kept.frames;
    const reader = new ByteReader(frame as Uint8Array);
    expect([reader.varint(), reader.u8(), reader.varint(), reader.latin1()]).toEqual([
      1,
      1,
      3,
      "what is asked",
    ]);
    reader.expectEnd();
    forwarding.channelClosed(channel);
    expect(failures).toEqual(["unknown"]);
  });
});
