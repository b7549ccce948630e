import { describe, expect, it } from "vitest";
import { shardId } from "../../../src/base/ids.ts";
import { roomParams, roomRequestOf, usedKeysOf } from "../../../src/node/capacity/capacity-messages.ts";
import { decodeValue, encodeValue } from "../../../src/wire/value-codec.ts";

const travelled = (value: unknown): unknown => decodeValue(encodeValue(value));

describe("messages about room", () => {
  it("arrive as they were sent, an unlimited part as unlimited", () => {
    const request = {
      shrink: [[shardId(4), { bytes: Number.POSITIVE_INFINITY, entries: 17 }]],
      hold: [shardId(0), shardId(9)],
    } as const;
    expect(roomRequestOf(travelled(roomParams(request)))).toEqual(request);
  });

  it("carry keys of any bytes", () => {
    const used = [[shardId(2), ["plain", "\u0000\u0080\u00ff"]]] as const;
    expect(usedKeysOf(travelled(used))).toEqual(used);
  });

  it.each([
    null,
    7,
    { shrink: [], hold: 3 },
    { shrink: [[1, -1, 2]], hold: [] },
    { shrink: [[1, Number.NaN, 2]], hold: [] },
    { shrink: [[-1, 1, 2]], hold: [] },
    { shrink: [[1]], hold: [] },
    { shrink: [], hold: [4_096] },
    { shrink: Array.from({ length: 5_000 }, () => [1, 1, 1]), hold: [] },
  ])("are refused when malformed: %j", (params) => {
    expect(() => roomRequestOf(params)).toThrow(expect.objectContaining({ code: "CREMA_PROTOCOL" }));
  });

  it.each([
    null,
    [[1, "key"]],
    [[1, [2]]],
    [["1", []]],
    [[1, ["k".repeat(65_536)]]],
    [[1, new Array(1_025).fill("k")]],
  ])("so are hints: %j", (params) => {
    expect(() => usedKeysOf(params)).toThrow(expect.objectContaining({ code: "CREMA_PROTOCOL" }));
  });
});
