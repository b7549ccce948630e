import { describe, expect, it } from "vitest";
import { DEFAULT_DATA, KEY_BYTES, KEY_COUNT, type RespWork, VALUE_BYTES } from "../job.ts";
import { respBatches } from "./resp-batches.ts";

const WORK: RespWork = {
  type: "resp",
  command: "SET",
  connections: 1,
  pipeline: 16,
  waitForReplica: "with-batch",
  readOnly: false,
  perSecond: null,
  data: DEFAULT_DATA,
};

describe("batches of requests", () => {
  it("name every key once, in keys and values of the sizes promised", () => {
    const { buffers } = respBatches(WORK);
    const text = buffers.map((buffer) => buffer.toString("latin1")).join("");
    const sets = [...text.matchAll(/\*3\r\n\$3\r\nSET\r\n\$16\r\n([^\r]*)\r\n\$64\r\n([^\r]*)\r\n/g)];
    expect(new Set(sets.map(([, key]) => key)).size).toBe(KEY_COUNT);
    expect(sets.length).toBe(KEY_COUNT);
    expect(sets.every(([, key, value]) => key?.length === KEY_BYTES && value?.length === VALUE_BYTES)).toBe(
      true,
    );
  });

  it("end in a WAIT where a replica must have them, which is no operation", () => {
    const { buffers, afterwards, expected, operations } = respBatches(WORK);
    expect(
      buffers.every((buffer) =>
        buffer.toString("latin1").endsWith("*3\r\n$4\r\nWAIT\r\n$1\r\n1\r\n$1\r\n0\r\n"),
      ),
    ).toBe(true);
    expect([operations, expected.length, expected.at(-1)]).toEqual([16, 17, "replicas"]);
    expect(afterwards).toBeNull();
  });

  it("leave the WAIT for afterwards where it is to wait for their replies", () => {
    const { buffers, afterwards, expected, operations } = respBatches({
      ...WORK,
      waitForReplica: "when-answered",
    });
    expect(buffers.some((buffer) => buffer.includes("WAIT"))).toBe(false);
    expect(afterwards?.toString("latin1")).toBe("*3\r\n$4\r\nWAIT\r\n$1\r\n1\r\n$1\r\n0\r\n");
    expect([operations, expected.length, expected.at(-1)]).toEqual([16, 17, "replicas"]);
  });

  it("are refused when they would leave keys out", () => {
    expect(() => respBatches({ ...WORK, pipeline: 64 })).toThrow(RangeError);
  });
});
