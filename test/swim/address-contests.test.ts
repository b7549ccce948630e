import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.ts";
import { AddressContests } from "../../src/swim/address-contests.ts";
import type { AliveClaim } from "../../src/swim/messages.ts";
import { idOf, metaOf } from "./virtual-network.ts";

describe("a contest for an address", () => {
  it("is won by the member itself only, once, and in time", () => {
    const contests = new AddressContests(1_000);
    contests.open(0, 5, claim(1));
    expect(contests.answered(10, 5, idOf(2))).toBeNull();
    expect(contests.answered(10, 6, idOf(1))).toBeNull();
    expect(contests.answered(10, 5, idOf(1))).toEqual(claim(1));
    expect(contests.answered(10, 5, idOf(1))).toBeNull();
    contests.open(0, 7, claim(1));
    expect(contests.answered(1_000, 7, idOf(1))).toBeNull();
  });

  it("is held once at a time for each address, and for at most 32 addresses", () => {
    const contests = new AddressContests(1_000);
    expect(contests.open(0, 0, claim(1))).toBe(true);
    expect(contests.open(0, 1, claim(1))).toBe(false);
    for (let at = 2; at <= 32; at++) expect(contests.open(0, at, claim(at))).toBe(true);
    expect(contests.open(0, 33, claim(33))).toBe(false);
    expect(contests.open(1_000, 34, claim(33))).toBe(true);
  });
});

function claim(number: number): AliveClaim {
  const meta = metaOf(new Random(0, number), { id: idOf(number), address: { host: "h", port: number } });
  return { type: "alive", incarnation: 0, meta };
}
