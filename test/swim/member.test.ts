import { describe, expect, it } from "vitest";
import { Random } from "../../src/base/random.ts";
import { checkMemberMeta, memberMetaBytes, memberMetaProblem, sameMeta } from "../../src/swim/member.ts";
import { resolveSwimOptions } from "../../src/swim/options.ts";
import { Swim } from "../../src/swim/swim.ts";
import { metaOf } from "./virtual-network.ts";

const META = metaOf(new Random(1, 1), { name: "nœud-1", zone: "eu-1" });

describe("member metadata", () => {
  it("of 512 bytes is accepted, of 513 refused with a word on what to do", () => {
    const spare = 512 - memberMetaBytes({ ...META, name: "", zone: "" });
    const fits = { ...META, zone: "", name: "x".repeat(spare - 1) };
    expect(memberMetaBytes(fits)).toBe(512);
    expect(memberMetaProblem(fits)).toBeNull();
    expect(memberMetaProblem({ ...fits, zone: "y" })).toBe(
      "metadata takes 513 bytes, 512 are allowed: shorten host, name or zone",
    );
  });

  it.each([
    ["an empty host", { address: { host: "", port: 1 } }],
    ["a host with a space", { address: { host: "a b", port: 1 } }],
    ["port 0", { address: { host: "h", port: 0 } }],
    ["a RESP port of 65,536", { respPort: 65_536 }],
    ["a fractional HTTP port", { httpPort: 1.5 }],
    ["a control character in its name", { name: "a\nb" }],
    ["half a surrogate pair in its zone", { zone: "\ud800" }],
    ["weight 0", { weight: 0 }],
    ["weight NaN", { weight: Number.NaN }],
    ["protocol versions out of order", { protocolMin: 2, protocolMax: 1 }],
  ])("with %s is refused", (_what, change) => {
    expect(() => checkMemberMeta({ ...META, ...change })).toThrow(RangeError);
  });

  it("that is refused keeps a member from starting, or from changing", () => {
    const start = { meta: META, options: resolveSwimOptions(), random: new Random(1, 2), nowMs: 0 };
    expect(() => new Swim({ ...start, meta: { ...META, name: "x".repeat(500) } })).toThrow(/metadata takes/);
    const swim = new Swim(start);
    expect(() => swim.updateMeta(0, { ...META, weight: -1 })).toThrow(RangeError);
    expect(() => swim.updateMeta(0, metaOf(new Random(5, 5)))).toThrow(/keeps its id/);
    expect(swim.self.meta).toBe(META);
  });

  it("differs when any part of it differs", () => {
    expect(sameMeta(META, { ...META })).toBe(true);
    const other = metaOf(new Random(9, 9), {
      address: { host: "x", port: 2 },
      respPort: 1,
      httpPort: 1,
      name: "n",
      zone: "z",
      weight: 2,
      protocolMin: 0,
      protocolMax: 9,
      reluctant: true,
    });
    const changed = { ...other, clusterId: "0123456789abcdef" };
    for (const [key, value] of Object.entries(changed)) {
      expect(sameMeta(META, { ...META, [key]: value }), key).toBe(false);
    }
  });
});

describe("the options", () => {
  it("are validated by name", () => {
    expect(() => resolveSwimOptions({ gossipNodes: 0 })).toThrow(
      /gossipNodes must be an integer >= 1, got 0/,
    );
    expect(() => resolveSwimOptions({ pingTimeoutMs: 1_000 })).toThrow(/pingTimeoutMs \(1000\) must be less/);
    expect(resolveSwimOptions({ indirectProbes: 0 }).indirectProbes).toBe(0);
  });

  it("come as presets, the larger the network the more patient", () => {
    const [local, lan, wan] = (["local", "lan", "wan"] as const).map((name) => resolveSwimOptions({}, name));
    expect([local, lan, wan].map((preset) => preset?.protocolPeriodMs)).toEqual([500, 1_000, 5_000]);
    expect(resolveSwimOptions({ gossipNodes: 9 }, "wan")).toEqual({ ...wan, gossipNodes: 9 });
  });
});
