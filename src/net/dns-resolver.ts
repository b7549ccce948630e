/**
 * The `Resolver` port on DNS: what a configured seed stands for right now. Nothing is cached here: seeds are
 * resolved anew for every attempt, because their addresses change while a fleet is replaced.
 */
import { lookup, resolveSrv } from "node:dns/promises";
import { isIP } from "node:net";
import { type Address, formatAddress } from "../base/address.ts";
import type { Resolver } from "../host/ports.ts";

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** The two questions asked of the system; replaceable in tests. Both reject when there is no answer. */
export interface DnsQueries {
  /** All IPv4 and IPv6 addresses of a name, as the system resolves it (hosts file included). */
  readonly addresses: (host: string) => Promise<readonly string[]>;
  readonly services: (name: string) => Promise<readonly SrvRecord[]>;
}

export const SYSTEM_DNS: DnsQueries = Object.freeze({
  addresses: async (host: string) => (await lookup(host, { all: true })).map((found) => found.address),
  services: (name: string) => resolveSrv(name),
});

export interface DnsResolverOptions {
  readonly queries?: DnsQueries;
  /** Told why a name did not resolve. */
  readonly onFailure?: (host: string, error: Error) => void;
}

/** Addresses one seed may expand to. */
const ADDRESSES_MAX = 256;

/**
 * An IP literal is itself; `_service._proto.name` are the targets of its SRV records, each with its own port;
 * any other name is its addresses, with the port of the seed, or failing these its SRV records.
 */
export class DnsResolver implements Resolver {
  readonly #queries: DnsQueries;
  readonly #onFailure: (host: string, error: Error) => void;

  constructor(options: DnsResolverOptions = {}) {
    this.#queries = options.queries ?? SYSTEM_DNS;
    this.#onFailure = options.onFailure ?? (() => {});
  }

  async resolve(seed: Address): Promise<readonly Address[]> {
    if (isIP(seed.host) !== 0) return [seed];
    if (/^_[^.]+\._[^.]+\./.test(seed.host)) return distinct(await this.#services(seed.host));
    const addresses = await this.#addresses(seed.host, seed.port);
    return distinct(addresses.length > 0 ? addresses : await this.#services(seed.host));
  }

  async #addresses(host: string, port: number): Promise<readonly Address[]> {
    const found = await this.#ask(host, this.#queries.addresses);
    return found.map((address) => ({ host: address, port }));
  }

  /** By priority, then weight; targets that do not resolve are left out. */
  async #services(name: string): Promise<readonly Address[]> {
    const records = [...(await this.#ask(name, this.#queries.services))];
    records.sort((left, right) => left.priority - right.priority || right.weight - left.weight);
    const resolved = records.slice(0, ADDRESSES_MAX).map((record) => {
      const target = record.name.replace(/\.$/, "");
      if (isIP(target) !== 0) return [{ host: target, port: record.port }];
      return this.#addresses(target, record.port);
    });
    return (await Promise.all(resolved)).flat();
  }

  async #ask<T>(host: string, query: (host: string) => Promise<readonly T[]>): Promise<readonly T[]> {
    try {
      return await query(host);
    } catch (error) {
      this.#onFailure(host, error instanceof Error ? error : new Error(String(error)));
      return [];
    }
  }
}

function distinct(addresses: readonly Address[]): Address[] {
  const byText = new Map(addresses.map((address) => [formatAddress(address), address]));
  return [...byText.values()].slice(0, ADDRESSES_MAX);
}
