import { createSocket } from "node:dgram";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import type { Address } from "../../src/base/address.ts";
import type { Datagrams } from "../../src/host/ports.ts";
import { newDatagramCounters, openDatagrams } from "../../src/net/datagrams.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };
const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some((entry) => entry.address === "::1"),
);

const open: Datagrams[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((datagrams) => datagrams.close()));
});

describe("datagrams", () => {
  it("bind a free port and say which", async () => {
    const left = await opened(LOOPBACK);
    expect(left.local.host).toBe("127.0.0.1");
    expect(left.local.port).toBeGreaterThan(0);
  });

  it("carry bytes from one to another, with the sender's address", async () => {
    const counters = newDatagramCounters();
    const [left, right] = [await opened(LOOPBACK, counters), await opened(LOOPBACK)];
    const received = nextMessage(right);
    left.send(right.local, Uint8Array.of(1, 2, 3));
    const { from, bytes } = await received;
    expect(from).toEqual(left.local);
    expect([...bytes]).toEqual([1, 2, 3]);
    await until(() => counters.sent === 1);
    expect(counters).toEqual({ sent: 1, received: 0, sendErrors: 0, socketErrors: 0 });
  });

  it("reach a host given by name", async () => {
    const [left, right] = [await opened(LOOPBACK), await opened(LOOPBACK)];
    for (const byte of [7, 8]) {
      const received = nextMessage(right);
      left.send({ host: "localhost", port: right.local.port }, Uint8Array.of(byte));
      expect([...(await received).bytes]).toEqual([byte]);
    }
  });

  it.runIf(hasIpv6)("of an IPv6 wildcard talk to IPv4 hosts by their plain addresses", async () => {
    const [wide, narrow] = [await opened({ host: "::", port: 0 }), await opened(LOOPBACK)];
    const there = nextMessage(narrow);
    wide.send(narrow.local, Uint8Array.of(1));
    await there;
    const back = nextMessage(wide);
    narrow.send({ host: "127.0.0.1", port: wide.local.port }, Uint8Array.of(2));
    expect((await back).from).toEqual(narrow.local);
  });

  it.runIf(hasIpv6)("talk over IPv6", async () => {
    const at = { host: "::1", port: 0 };
    const [left, right] = [await opened(at), await opened(at)];
    const received = nextMessage(right);
    left.send(right.local, Uint8Array.of(1));
    expect((await received).from).toEqual(left.local);
  });

  it("on a port in use are refused by an error that names the port and the flag", async () => {
    const first = await opened(LOOPBACK);
    await expect(openDatagrams(first.local)).rejects.toMatchObject({
      code: "CREMA_ADDRESS_IN_USE",
      message: `UDP 127.0.0.1:${first.local.port} is in use by another process: stop it, or choose another port with --port`,
    });
  });

  it("on a host that is not of this machine are refused by an error that names the flag", async () => {
    await expect(openDatagrams({ host: "192.0.2.1", port: 0 })).rejects.toMatchObject({
      code: "CREMA_ADDRESS_UNAVAILABLE",
      message: expect.stringContaining("--host"),
    });
  });

  it("that cannot be sent are counted and otherwise lost", async () => {
    const counters = newDatagramCounters();
    const left = await opened(LOOPBACK, counters);
    left.send(left.local, new Uint8Array(70_000));
    left.send({ host: "127.0.0.1", port: 70_000 }, Uint8Array.of(1));
    left.send({ host: "no-such-host.invalid", port: 1 }, Uint8Array.of(1));
    await until(() => counters.sendErrors === 3);
    expect(counters.sent).toBe(0);
  });

  it("close more than once, free the port, and send nothing afterwards", async () => {
    const left = await openDatagrams(LOOPBACK);
    await Promise.all([left.close(), left.close()]);
    left.send(left.local, Uint8Array.of(1));
    const socket = createSocket("udp4");
    socket.bind({ ...left.local, address: left.local.host });
    await once(socket, "listening");
    socket.close();
    await left.close();
  });
});

async function opened(at: Address, counters = newDatagramCounters()): Promise<Datagrams> {
  const datagrams = await openDatagrams(at, counters);
  open.push(datagrams);
  return datagrams;
}

function nextMessage(datagrams: Datagrams): Promise<{ from: Address; bytes: Uint8Array }> {
  return new Promise((resolve) => {
    datagrams.onMessage = (from, bytes) => resolve({ from, bytes });
  });
}

/** Waits for `condition`, looking again after each turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
