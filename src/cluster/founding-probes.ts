/**
 * What is known of each seed address: who answered there last and when, and when to ask again.
 * Asking is quick while things change and slows down while nothing does; any newcomer makes it quick again.
 */
import type { Address } from "../base/address.ts";
import type { BootNonce, ClusterId } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import type { FoundingAnswer, FoundingResponder } from "./founding-messages.ts";

const PROBE_INTERVAL_MIN_MS = 200;
const PROBE_INTERVAL_MAX_MS = 2_000;
/** After a time without news the interval is a tenth of it. */
const PROBE_SLOWDOWN = 10;
/** An answer counts this long: more than two of the slowest intervals. */
const ANSWER_FRESH_MS = 5_000;
/** Newcomers noticed; more are possible only when nodes restart all the time. */
const NOTICED_MAX = 10_000;

export interface ProbedAddress {
  readonly text: string;
  readonly address: Address;
  /** Since when it is known, in milliseconds. */
  readonly sinceMs: number;
  /** Who answered last; null before. */
  from: FoundingResponder | null;
  answeredAtMs: number;
  /** It is this very process. */
  self: boolean;
  /** The cluster it says it belongs to. Stays until the same address says something else: silence undoes nothing. */
  heard: ClusterId | null;
  /** Why the last call failed; null when it did not. */
  failure: string | null;
  openCalls: number;
  nextProbeAtMs: number;
  /** To be asked even though a call is under way: that one may be waiting for a machine that was not up yet. */
  urgent: boolean;
}

export class FoundingProbes {
  readonly #random: Random;
  readonly #byText = new Map<string, ProbedAddress>();
  readonly #noticed = new Set<BootNonce>();
  #newsAtMs: number;

  constructor(random: Random, nowMs: number) {
    this.#random = random;
    this.#newsAtMs = nowMs;
  }

  get all(): IterableIterator<ProbedAddress> {
    return this.#byText.values();
  }

  get(text: string): ProbedAddress | null {
    return this.#byText.get(text) ?? null;
  }

  /** Exactly these addresses are to be probed from now on. */
  setAddresses(addresses: ReadonlyMap<string, Address>, nowMs: number): void {
    for (const text of this.#byText.keys()) if (!addresses.has(text)) this.#byText.delete(text);
    for (const [text, address] of addresses) {
      if (this.#byText.has(text)) continue;
      this.#byText.set(text, {
        text,
        address,
        sinceMs: nowMs,
        from: null,
        answeredAtMs: Number.NEGATIVE_INFINITY,
        self: false,
        heard: null,
        failure: null,
        openCalls: 0,
        nextProbeAtMs: nowMs,
        urgent: false,
      });
    }
  }

  /** Addresses to be asked now; one with an open call is left until that ends. */
  takeDue(nowMs: number): ProbedAddress[] {
    const due: ProbedAddress[] = [];
    for (const each of this.#byText.values()) {
      if (each.nextProbeAtMs > nowMs) continue;
      each.nextProbeAtMs = nowMs + this.#intervalMs(nowMs);
      if (each.openCalls === 0 || each.urgent) due.push(each);
      each.urgent = false;
    }
    return due;
  }

  get nextDueMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { nextProbeAtMs } of this.#byText.values()) next = Math.min(next, nextProbeAtMs);
    return next;
  }

  /** A process was heard of. One never heard of before makes all be asked at once that have not answered lately. */
  noticed(boot: BootNonce, nowMs: number): void {
    if (this.#noticed.has(boot)) return;
    if (this.#noticed.size >= NOTICED_MAX) this.#noticed.clear();
    this.#noticed.add(boot);
    this.#newsAtMs = nowMs;
    for (const each of this.#byText.values()) {
      if (isFresh(each, nowMs)) continue;
      each.nextProbeAtMs = nowMs;
      each.urgent = true;
    }
  }

  answered(each: ProbedAddress, answer: FoundingAnswer, self: boolean, nowMs: number): void {
    each.from = answer.from;
    each.answeredAtMs = nowMs;
    each.self = self;
    each.failure = null;
    if (answer.type !== "cluster") each.heard = null;
  }

  /** Who answered at `text` not long ago. */
  processAt(text: string, nowMs: number): BootNonce | null {
    const each = this.#byText.get(text);
    return each === undefined || !isFresh(each, nowMs) ? null : (each.from?.identity.boot ?? null);
  }

  /** Those who answered not long ago, by process. */
  responders(nowMs: number): Map<BootNonce, FoundingResponder> {
    const found = new Map<BootNonce, FoundingResponder>();
    for (const each of this.#byText.values()) {
      if (each.from !== null && isFresh(each, nowMs)) found.set(each.from.identity.boot, each.from);
    }
    return found;
  }

  /** For how long nothing was heard from `text`, in milliseconds. */
  silentForMs(text: string, nowMs: number): number {
    const each = this.#byText.get(text);
    return each === undefined ? 0 : nowMs - Math.max(each.answeredAtMs, each.sinceMs);
  }

  #intervalMs(nowMs: number): number {
    const calmMs = (nowMs - this.#newsAtMs) / PROBE_SLOWDOWN;
    const intervalMs = Math.min(PROBE_INTERVAL_MAX_MS, Math.max(PROBE_INTERVAL_MIN_MS, calmMs));
    return Math.ceil(intervalMs * (0.75 + this.#random.nextFloat() / 2));
  }
}

function isFresh(each: ProbedAddress, nowMs: number): boolean {
  return nowMs - each.answeredAtMs <= ANSWER_FRESH_MS;
}
