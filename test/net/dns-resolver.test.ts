import { describe, expect, it } from "vitest";
import { type DnsQueries, DnsResolver, type SrvRecord } from "../../src/net/dns-resolver.ts";

describe("a seed", () => {
  it.each(["10.0.0.1", "::1"])("that is the IP literal %s is itself, and nobody is asked", async (host) => {
    const resolver = new DnsResolver({ queries: answering({}, {}) });
    expect(await resolver.resolve({ host, port: 7_946 })).toEqual([{ host, port: 7_946 }]);
  });

  it("that is a name is all its addresses, IPv4 and IPv6, each once, with the port given", async () => {
    const queries = answering({ "seeds.example": ["10.0.0.1", "fd00::1", "10.0.0.1"] }, {});
    expect(await new DnsResolver({ queries }).resolve({ host: "seeds.example", port: 7_000 })).toEqual([
      { host: "10.0.0.1", port: 7_000 },
      { host: "fd00::1", port: 7_000 },
    ]);
  });

  it("that is a service name is its targets, with their ports, by priority and weight", async () => {
    const queries = answering(
      { "a.example": ["10.0.0.1"], "b.example": ["10.0.0.2", "10.0.0.3"] },
      {
        "_gossip._tcp.crema.example": [
          { name: "b.example.", port: 2, priority: 1, weight: 5 },
          { name: "10.0.0.9", port: 9, priority: 1, weight: 7 },
          { name: "a.example", port: 1, priority: 0, weight: 0 },
          { name: "gone.example", port: 3, priority: 2, weight: 0 },
        ],
      },
    );
    const seed = { host: "_gossip._tcp.crema.example", port: 7_946 };
    expect(await new DnsResolver({ queries }).resolve(seed)).toEqual([
      { host: "10.0.0.1", port: 1 },
      { host: "10.0.0.9", port: 9 },
      { host: "10.0.0.2", port: 2 },
      { host: "10.0.0.3", port: 2 },
    ]);
  });

  it("that is a plain name without addresses is its services, if it has some", async () => {
    const queries = answering(
      { "a.example": ["10.0.0.1"] },
      { "crema.example": [{ name: "a.example", port: 1, priority: 0, weight: 0 }] },
    );
    expect(await new DnsResolver({ queries }).resolve({ host: "crema.example", port: 5 })).toEqual([
      { host: "10.0.0.1", port: 1 },
    ]);
  });

  it("that does not resolve is no address, and the reason is told", async () => {
    const failures: string[] = [];
    const onFailure = (host: string, error: Error) => failures.push(`${host}: ${error.message}`);
    const resolver = new DnsResolver({ queries: answering({}, {}), onFailure });
    expect(await resolver.resolve({ host: "gone.example", port: 5 })).toEqual([]);
    expect(failures).toEqual(["gone.example: no address", "gone.example: no service"]);
  });

  it("is resolved anew every time", async () => {
    let address = "10.0.0.1";
    const queries: DnsQueries = { addresses: async () => [address], services: async () => [] };
    const resolver = new DnsResolver({ queries });
    await resolver.resolve({ host: "seeds.example", port: 1 });
    address = "10.0.0.2";
    expect(await resolver.resolve({ host: "seeds.example", port: 1 })).toEqual([
      { host: "10.0.0.2", port: 1 },
    ]);
  });

  it("called localhost is the loopback address of this machine", async () => {
    const found = await new DnsResolver().resolve({ host: "localhost", port: 4 });
    expect(found.map((address) => address.host)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(127\.0\.0\.1|::1)$/)]),
    );
  });
});

function answering(
  addresses: Readonly<Record<string, readonly string[]>>,
  services: Readonly<Record<string, readonly SrvRecord[]>>,
): DnsQueries {
  return {
    addresses: async (host) => addresses[host] ?? fail("no address"),
    services: async (name) => services[name] ?? fail("no service"),
  };
}

function fail(reason: string): never {
  throw new Error(reason);
}
