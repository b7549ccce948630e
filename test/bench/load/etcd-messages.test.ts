import { describe, expect, it } from "vitest";
import { grpcMessage, hasField, putRequest, rangeRequest, txnRequest } from "./etcd-messages.ts";

describe("a message for etcd", () => {
  it("has the bytes of its protobuf definition", () => {
    expect(putRequest("k", "vw").toString("hex")).toBe("0a016b12027677");
    expect(rangeRequest("key").toString("hex")).toBe("0a036b6579");
    expect(txnRequest([putRequest("k", "v")]).toString("hex")).toBe("120812060a016b120176");
  });

  it("writes lengths above 127 in two bytes", () => {
    expect(rangeRequest("x".repeat(300)).subarray(0, 4).toString("hex")).toBe("0aac0278");
  });

  it("says before it how long it is", () => {
    expect(grpcMessage(rangeRequest("k")).toString("hex")).toBe("00000000030a016b");
  });
});

describe("a message from etcd", () => {
  it("is asked for a field without being decoded", () => {
    // RangeResponse: header { cluster_id: 2^63, revision: 5 }, kvs { key: "k" }, count: 1.
    const response = Buffer.from(
      "0a0c" + "0880808080808080808001" + "05" + "1203" + "0a016b" + "2001",
      "hex",
    );
    expect(hasField(response, 0, response.length, 2)).toBe(true);
    expect(hasField(response, 0, response.length, 3)).toBe(false);
    expect(hasField(response, 0, 14, 2)).toBe(false);
    expect(() => hasField(response, 0, 1, 2)).toThrow("cut off");
  });
});
