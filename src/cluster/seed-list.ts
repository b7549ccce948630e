/**
 * The configured seeds and the addresses behind them. The list decides how many processes may have a say in a founding,
 * so it is counted conservatively: never fewer slots than there can be processes.
 */
import { type Address, formatAddress } from "../base/address.ts";
import type { BootNonce } from "../base/ids.ts";

interface ConfiguredSeed {
  readonly seed: Address;
  readonly text: string;
  /** By text, the seed itself until its name was resolved. */
  addresses: ReadonlyMap<string, Address>;
  /** How many processes it can stand for: never shrinks, so that a name that loses records cannot shrink a majority. */
  slots: number;
  resolved: boolean;
}

/** Tells which process answered at an address (by its text), or null. */
export type ProcessAt = (address: string) => BootNonce | null;

/**
 * A seed counts one slot, or as many as its name has addresses of one family: a name with an IPv4 and an IPv6 address
 * is one machine, a name with three IPv4 addresses is three.
 */
export class SeedList {
  /** Lower case, sorted, without duplicates: equal for equal lists, however they were written down. */
  readonly texts: readonly string[];
  readonly #seeds: readonly ConfiguredSeed[];

  constructor(seeds: readonly Address[]) {
    const byText = new Map<string, Address>();
    for (const { host, port } of seeds) {
      const seed = { host: host.toLowerCase(), port };
      byText.set(formatAddress(seed), seed);
    }
    this.texts = [...byText.keys()].sort();
    this.#seeds = [...byText].map(([text, seed]) => ({
      seed,
      text,
      addresses: new Map([[text, seed]]),
      slots: 1,
      resolved: isIpAddress(seed.host),
    }));
  }

  get isEmpty(): boolean {
    return this.#seeds.length === 0;
  }

  /** Processes that may have a say: a majority of this number founds. */
  get slotCount(): number {
    return this.#seeds.reduce((sum, { slots }) => sum + slots, 0);
  }

  /** Every name was looked up at least once. Before that the slots are not known. */
  get isResolved(): boolean {
    return this.#seeds.every(({ resolved }) => resolved);
  }

  /** Distinct addresses behind all seeds, by text. */
  get addresses(): ReadonlyMap<string, Address> {
    const all = new Map<string, Address>();
    for (const { addresses } of this.#seeds) for (const [text, address] of addresses) all.set(text, address);
    return all;
  }

  /** What a look-up of `seed` found now. Nothing found keeps what was known. */
  resolve(seed: Address, addresses: readonly Address[]): void {
    const text = formatAddress({ host: seed.host.toLowerCase(), port: seed.port });
    const known = this.#seeds.find((each) => each.text === text);
    if (known === undefined) return;
    known.resolved = true;
    if (addresses.length === 0) return;
    known.addresses = new Map(addresses.map((address) => [formatAddress(address), address]));
    const familySix = addresses.filter(({ host }) => host.includes(":")).length;
    known.slots = Math.max(known.slots, familySix, known.addresses.size - familySix);
  }

  /** The seeds that `address` stands for. */
  seedsBehind(address: string): Address[] {
    return this.#seeds.filter(({ addresses }) => addresses.has(address)).map(({ seed }) => seed);
  }

  /** Addresses of `seed`, by text. */
  addressesOf(seed: Address): readonly string[] {
    return [...(this.#seeds.find((each) => each.seed === seed)?.addresses.keys() ?? [])];
  }

  /**
   * Addresses that may still hide a process that has not answered: those of every seed of which neither all addresses
   * nor as many processes as it has slots have answered.
   */
  unanswered(processAt: ProcessAt): string[] {
    const open: string[] = [];
    for (const { addresses, slots } of this.#seeds) {
      const silent = [...addresses.keys()].filter((text) => processAt(text) === null);
      const answered = new Set([...addresses.keys()].map(processAt).filter((boot) => boot !== null));
      if (silent.length > 0 && answered.size < slots) open.push(...silent);
    }
    return open;
  }
}

/** Whether two normalised lists are equal. */
export function sameSeeds(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, at) => text === right[at]);
}

/** Whether `host` is an address, and not a name that may lead to many. */
export function isIpAddress(host: string): boolean {
  return host.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}
