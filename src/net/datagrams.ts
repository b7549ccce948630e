/**
 * Gossip over UDP: the `Datagrams` port on `node:dgram`. A failure to send is loss, as on the network itself:
 * it is counted and nobody waits for it. Only binding can fail loudly.
 */
import { createSocket, type Socket } from "node:dgram";
import { lookup as dnsLookup } from "node:dns";
import { isIP, isIPv4, isIPv6 } from "node:net";
import { type Address, formatAddress } from "../base/address.ts";
import { CremaError } from "../base/errors.ts";
import type { Datagrams } from "../host/ports.ts";

/** Totals of one socket; they only grow. */
export interface DatagramCounters {
  sent: number;
  received: number;
  /** Not sent: no route, name unknown, too large, buffer full. */
  sendErrors: number;
  /** Reported by the system on the socket as a whole. */
  socketErrors: number;
}

export function newDatagramCounters(): DatagramCounters {
  return { sent: 0, received: 0, sendErrors: 0, socketErrors: 0 };
}

/**
 * Binds `at` (port 0 = any free one) and resolves once bound. An IPv6 wildcard serves IPv4 as well.
 * Rejects with `CREMA_ADDRESS_IN_USE`, or `CREMA_ADDRESS_UNAVAILABLE` when the host is no address of this machine.
 */
export async function openDatagrams(
  at: Address,
  counters: DatagramCounters = newDatagramCounters(),
): Promise<Datagrams> {
  const type = isIPv6(at.host) ? "udp6" : "udp4";
  const socket = createSocket({ type, lookup: new HostCache().lookup });
  await bind(socket, at);
  return new UdpDatagrams(socket, at, counters);
}

class UdpDatagrams implements Datagrams {
  readonly local: Address;
  onMessage: (from: Address, bytes: Uint8Array) => void = () => {};
  readonly #socket: Socket;
  readonly #counters: DatagramCounters;
  /** An IPv6 socket reaches IPv4 hosts by their mapped addresses. */
  readonly #mapped: boolean;
  readonly #sent: (error: Error | null) => void;
  #closing: Promise<void> | null = null;

  constructor(socket: Socket, at: Address, counters: DatagramCounters) {
    const { address, port, family } = socket.address();
    this.local = { host: isIP(at.host) === 0 ? address : at.host, port };
    this.#socket = socket;
    this.#counters = counters;
    this.#mapped = family === "IPv6";
    // One function for all sends, not one each.
    this.#sent = (error) => {
      if (error === null) counters.sent++;
      else counters.sendErrors++;
    };
    socket.on("message", (bytes, from) => {
      counters.received++;
      this.onMessage({ host: unmapped(from.address), port: from.port }, bytes);
    });
    socket.on("error", () => {
      counters.socketErrors++;
    });
  }

  send(to: Address, bytes: Uint8Array): void {
    if (this.#closing !== null) return;
    const host = this.#mapped && isIPv4(to.host) ? `::ffff:${to.host}` : to.host;
    try {
      this.#socket.send(bytes, to.port, host, this.#sent);
    } catch (error) {
      // A port out of range throws at once.
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
      this.#counters.sendErrors++;
    }
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#socket.close(() => resolve());
    });
    return this.#closing;
  }
}

function bind(socket: Socket, at: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      socket.close();
      reject(bindError(at, error));
    };
    socket.once("error", failed);
    socket.bind({ address: at.host, port: at.port, exclusive: true }, () => {
      socket.off("error", failed);
      resolve();
    });
  });
}

function bindError(at: Address, cause: NodeJS.ErrnoException): CremaError {
  const address = formatAddress(at);
  if (cause.code === "EADDRINUSE") {
    return new CremaError(
      "CREMA_ADDRESS_IN_USE",
      `UDP ${address} is in use by another process: stop it, or choose another port with --port`,
      { cause },
    );
  }
  return new CremaError(
    "CREMA_ADDRESS_UNAVAILABLE",
    `cannot bind UDP ${address} (${cause.code ?? cause.message}): check --host and --port`,
    { cause },
  );
}

const IPV4_MAPPED = "::ffff:";

function unmapped(host: string): string {
  return host.startsWith(IPV4_MAPPED) && isIPv4(host.slice(IPV4_MAPPED.length))
    ? host.slice(IPV4_MAPPED.length)
    : host;
}

type LookupCallback = (error: NodeJS.ErrnoException | null, address: string, family: number) => void;

/** How long the address of a host name is trusted. */
const HOST_CACHE_MS = 10_000;
const HOSTS_MAX = 1_024;

/** Members may advertise names: one lookup serves the datagrams of some seconds. IP literals cost nothing. */
class HostCache {
  readonly #known = new Map<string, { readonly address: string; readonly untilMs: number }>();

  readonly lookup = (host: string, family: unknown, done: LookupCallback): void => {
    const literal = isIP(host);
    if (literal !== 0) {
      done(null, host, literal);
      return;
    }
    const wanted = family === 6 ? 6 : 4;
    const known = this.#known.get(host);
    if (known !== undefined && known.untilMs > performance.now()) {
      done(null, known.address, wanted);
      return;
    }
    dnsLookup(host, { family: wanted, hints: 0 }, (error, address) => {
      if (error === null) this.#remember(host, address);
      done(error, address, wanted);
    });
  };

  #remember(host: string, address: string): void {
    if (this.#known.size >= HOSTS_MAX) this.#known.clear();
    this.#known.set(host, { address, untilMs: performance.now() + HOST_CACHE_MS });
  }
}
