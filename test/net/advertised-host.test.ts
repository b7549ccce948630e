import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, it, onTestFinished } from "vitest";
import { CremaNode } from "../../src/index.ts";
import { hostToAdvertise, type Interfaces } from "../../src/net/advertised-host.ts";
import { resolveNodeOptions } from "../../src/node/options.ts";

const LOOPBACK = addressed("127.0.0.1", "::1");

function addressed(...addresses: readonly string[]): NetworkInterfaceInfo[] {
  return addresses.map((address) => {
    const internal = address === "127.0.0.1" || address === "::1";
    const common = { address, internal, netmask: "", mac: "", cidr: null };
    return address.includes(":") ? { ...common, family: "IPv6", scopeid: 0 } : { ...common, family: "IPv4" };
  });
}

describe("what a node advertises", () => {
  it.each(["127.0.0.1", "10.0.0.6", "::1", "a.example"])(
    "is left to the bound address for --host %s",
    (host) => {
      expect(hostToAdvertise(host, { lo: LOOPBACK, eth0: addressed("10.0.0.5", "10.0.0.6") })).toBeNull();
    },
  );

  it.each([
    ["0.0.0.0", ["10.0.0.5"], "10.0.0.5"],
    ["0.0.0.0", ["10.0.0.5", "2001:db8::5", "fe80::5"], "10.0.0.5"],
    ["0.0.0.0", ["169.254.7.7", "10.0.0.5"], "10.0.0.5"],
    ["::", ["10.0.0.5", "2001:db8::5"], "10.0.0.5"],
    ["::", ["fe80::5", "2001:db8::5"], "[2001:db8::5]"],
  ])("is for --host %s among %j the address %s", (host, addresses, wanted) => {
    expect(hostToAdvertise(host, { lo: LOOPBACK, eth0: addressed(...addresses) })).toBe(wanted);
  });

  it.each([
    ["0.0.0.0", { lo: LOOPBACK }, "no address that others can reach"],
    ["0.0.0.0", { lo: LOOPBACK, eth0: addressed("2001:db8::5") }, "no address that others can reach"],
    [
      "0.0.0.0",
      { eth0: addressed("10.0.0.5"), docker0: addressed("172.17.0.1") },
      "several: 10.0.0.5, 172.17.0.1",
    ],
  ] satisfies [string, Interfaces, string][])(
    "is refused for --host %s among %j",
    (host, interfaces, reason) => {
      expect(() => hostToAdvertise(host, interfaces)).toThrow(
        `--host ${host} listens on all addresses of this machine, which has ${reason}: ` +
          "say what others shall dial with --advertise",
      );
    },
  );

  it.each(["0.0.0.0", "0.0.0.0:7946", "[::]:7946"])(
    "is never %s, which leads everybody to himself",
    (advertise) => {
      expect(() => resolveNodeOptions({ advertise })).toThrow("option advertise: nobody can dial");
    },
  );

  it("is never the wildcard of a node that listens everywhere", async () => {
    const opening = CremaNode.open({ host: "0.0.0.0", insecure: true, port: 0 });
    let advertised: string | null;
    try {
      advertised = hostToAdvertise("0.0.0.0");
    } catch {
      await expect(opening).rejects.toMatchObject({ code: "CREMA_ADDRESS_UNAVAILABLE" });
      return;
    }
    const node = await opening;
    expect(node.clusterAddress.host).toBe(advertised);
    await node.close();
  });

  it.each([
    ["a.example", "a.example", null],
    ["a.example:9", "a.example", 9],
    ["[2001:db8::5]", "2001:db8::5", null],
    ["[2001:db8::5]:9", "2001:db8::5", 9],
  ])(
    "is for --advertise %s the host %s and the port that is named, or else bound",
    async (advertise, host, port) => {
      const node = await CremaNode.open({ port: 0, advertise });
      onTestFinished(() => node.close());
      expect(node.clusterAddress.host).toBe(host);
      if (port === null) expect(node.clusterAddress.port).toBeGreaterThan(9_000);
      else expect(node.clusterAddress.port).toBe(port);
    },
  );
});
