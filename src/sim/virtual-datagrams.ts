/**
 * Datagrams on a virtual network: each one is lost, doubled, delayed or held back as the conditions and the seed say.
 */
import { type Address, formatAddress } from "../base/address.ts";
import type { Datagrams } from "../host/ports.ts";
import { checksum } from "./checksum.ts";
import type { VirtualNetwork } from "./virtual-network.ts";
import { ENTRY, type VirtualProcess } from "./virtual-process.ts";

/** What a UDP datagram can carry at most; a larger one cannot be sent. */
const DATAGRAM_BYTES_MAX = 65_507;
/** On the way from one sender; what exceeds it is lost, as in a full socket buffer. */
const DATAGRAMS_IN_FLIGHT_MAX = 10_000;

/** One bound address. Made by `VirtualNetwork.datagrams`. */
export class VirtualDatagrams implements Datagrams {
  readonly local: Address;
  readonly #key: string;
  readonly #network: VirtualNetwork;
  readonly #process: VirtualProcess | null;
  #inFlight = 0;
  #closed = false;
  onMessage: (from: Address, bytes: Uint8Array) => void = () => {};

  constructor(network: VirtualNetwork, local: Address, process: VirtualProcess | null) {
    this.#network = network;
    this.#process = process;
    this.local = local;
    this.#key = formatAddress(local);
  }

  send(to: Address, bytes: Uint8Array): void {
    if (this.#closed || bytes.length > DATAGRAM_BYTES_MAX) return;
    const { random, conditions, counters } = this.#network;
    if (random.nextFloat() < conditions.lossRate) {
      counters.lost++;
      return;
    }
    const copies = random.nextFloat() < conditions.duplicateRate ? 2 : 1;
    counters.duplicated += copies - 1;
    for (let copy = 0; copy < copies; copy++) this.#launch(formatAddress(to), new Uint8Array(bytes));
  }

  async close(): Promise<void> {
    this.crash();
    this.#network.release(this);
  }

  /** Silences both directions at once. */
  crash(): void {
    this.#closed = true;
  }

  #launch(to: string, bytes: Uint8Array): void {
    if (this.#inFlight >= DATAGRAMS_IN_FLIGHT_MAX) return;
    const { random, conditions, counters } = this.#network;
    const heldBackMs =
      random.nextFloat() < conditions.reorderRate ? random.nextFloat() * conditions.reorderDelayMs : 0;
    if (heldBackMs > 0) counters.heldBack++;
    this.#inFlight++;
    this.#network.clock.setTimer(this.#network.drawDelayMs() + heldBackMs, () => {
      this.#inFlight--;
      if (this.#network.reaches(this.#key, to)) this.#network.datagramsAt(to)?.arrive(this.local, bytes);
    });
  }

  /** Hands a datagram to the owner; called by the network. */
  arrive(from: Address, bytes: Uint8Array): void {
    if (this.#process === null) this.#deliver(from, bytes);
    else this.#process.enter(ENTRY.datagram, checksum(bytes), () => this.#deliver(from, bytes));
  }

  #deliver(from: Address, bytes: Uint8Array): void {
    if (!this.#closed) this.onMessage(from, bytes);
  }
}
