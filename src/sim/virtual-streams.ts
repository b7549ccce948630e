/**
 * Connections on a virtual network: the Streams port of one address, and the two ends of each connection.
 */
import { type Address, formatAddress } from "../base/address.ts";
import type { Connection, Streams, Timer } from "../host/ports.ts";
import { checksum } from "./checksum.ts";
import { type PipeSink, StreamPipe } from "./stream-pipe.ts";
import type { BreakManner, CrashManner, VirtualNetwork } from "./virtual-network.ts";
import { ENTRY, type VirtualProcess } from "./virtual-process.ts";

/** One bound address. Made by `VirtualNetwork.streams`. */
export class VirtualStreams implements Streams {
  readonly local: Address;
  readonly key: string;
  /** Where what happens here runs; null for an owner that is no process. */
  readonly process: VirtualProcess | null;
  readonly #network: VirtualNetwork;
  readonly #ends = new Set<VirtualConnection>();
  #listening = true;
  onConnection: (connection: Connection) => void = (connection) => connection.destroy();

  constructor(network: VirtualNetwork, local: Address, process: VirtualProcess | null) {
    this.#network = network;
    this.process = process;
    this.local = local;
    this.key = formatAddress(local);
  }

  connect(to: Address, timeoutMs: number): Connection {
    const near = new VirtualConnection(this.#network, this, to);
    if (!this.#listening) {
      near.failLater("the streams are closed");
      return near;
    }
    near.dial(timeoutMs);
    return near;
  }

  async close(): Promise<void> {
    this.#listening = false;
    this.#network.release(this);
    for (const end of [...this.#ends]) end.destroy();
  }

  /** The process is gone: its ends fall silent, and its peers are told if there is a kernel left to tell them. */
  crash(manner: CrashManner): void {
    this.#listening = false;
    for (const end of this.#ends) end.crash(manner);
    this.#ends.clear();
  }

  /** Ends the connections with the process at `far`. */
  break(far: string, manner: BreakManner): void {
    for (const end of [...this.#ends]) if (end.farKey === far) end.break(manner);
  }

  /** Runs what the owner is to hear. */
  enter(entry: number, detail: number, callback: () => void): void {
    if (this.process === null) callback();
    else this.process.enter(entry, detail, callback);
  }

  /** A dial from `far` arrived; answers the accepting end. */
  accept(far: VirtualConnection, from: Address): VirtualConnection {
    const end = new VirtualConnection(this.#network, this, from);
    end.pairWith(far);
    return end;
  }

  get listening(): boolean {
    return this.#listening;
  }

  adopt(end: VirtualConnection): void {
    this.#ends.add(end);
  }

  forget(end: VirtualConnection): void {
    this.#ends.delete(end);
  }
}

/** One end of a connection. `gone` is the end of a process that crashed: it hears nothing and says nothing. */
class VirtualConnection implements Connection, PipeSink {
  readonly remote: Address;
  readonly #network: VirtualNetwork;
  readonly #owner: VirtualStreams;
  #state: "dialling" | "open" | "ended" | "closed" | "gone" = "dialling";
  #outgoing: StreamPipe | null = null;
  #far: VirtualConnection | null = null;
  #dialTimer: Timer | null = null;
  /** The owner knows of this connection: nothing of it is heard before. A paused one that is dialled hears of that later. */
  #known = true;
  onOpen: () => void = () => {};
  onData: (bytes: Uint8Array) => void = () => {};
  onDrain: () => void = () => {};
  onClose: (error: Error | null) => void = () => {};

  constructor(network: VirtualNetwork, owner: VirtualStreams, remote: Address) {
    this.#network = network;
    this.#owner = owner;
    this.remote = remote;
    owner.adopt(this);
  }

  get bufferedBytes(): number {
    return this.#outgoing?.bufferedBytes ?? 0;
  }

  /** The first packet takes one way; whether anybody listens is found out there. */
  dial(timeoutMs: number): void {
    const to = formatAddress(this.remote);
    const from = this.#owner.key;
    this.#dialTimer = this.#network.clock.setTimer(timeoutMs, () => {
      this.#outgoing?.reset("read ECONNRESET");
      this.#close(`connect ETIMEDOUT ${to}`);
    });
    this.#network.clock.setTimer(this.#network.drawDelayMs(), () => {
      if (this.#state !== "dialling") return;
      if (!this.#network.carries(from, to) || !this.#network.carries(to, from)) return;
      const listener = this.#network.streamsAt(to);
      if (listener === undefined || !listener.listening) {
        this.#network.clock.setTimer(this.#network.drawDelayMs(), () => this.#refused(to));
        return;
      }
      const far = listener.accept(this, {
        host: this.#owner.local.host,
        port: this.#network.drawEphemeralPort(),
      });
      this.pairWith(far);
      this.#state = "dialling";
      far.#outgoing?.open();
      far.#known = false;
      listener.enter(ENTRY.accepted, 0, () => {
        far.#known = true;
        listener.onConnection(far);
      });
    });
  }

  /** Reports failure without having tried, outside the caller's stack. */
  failLater(reason: string): void {
    this.#network.clock.setTimer(0, () => this.#close(reason));
  }

  pairWith(far: VirtualConnection): void {
    this.#far = far;
    this.#state = "open";
    this.#outgoing = new StreamPipe(this.#network, this.#owner.key, far.#owner.key, far, () => {
      if (this.#state === "open") this.#owner.enter(ENTRY.drained, 0, () => this.onDrain());
    });
  }

  /** Whose end the far one is; undefined while nobody has answered the dial. */
  get farKey(): string | undefined {
    return this.#far === null ? undefined : this.#far.#owner.key;
  }

  /** The owner cannot take anything now. */
  get stalled(): boolean {
    return !this.#known || this.#owner.process?.paused === true;
  }

  write(bytes: Uint8Array): boolean {
    return this.#state === "open" && this.#outgoing?.write(bytes) === true;
  }

  end(): void {
    if (this.#state === "dialling") this.destroy();
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#outgoing?.finish();
  }

  destroy(): void {
    if (this.#state === "closed" || this.#state === "gone") return;
    this.#state = "closed";
    this.#leave();
    this.#outgoing?.reset("read ECONNRESET");
    this.#network.clock.setTimer(0, () => {
      if (this.#state === "closed") this.#owner.enter(ENTRY.closed, 0, () => this.onClose(null));
    });
  }

  /** Something between the two ends gave the connection up. */
  break(manner: BreakManner): void {
    if (this.#state !== "open" && this.#state !== "ended") return;
    if (manner === "reset") this.#outgoing?.reset("read ECONNRESET");
    else this.#outgoing?.close();
    this.#close(`read ECONNRESET ${formatAddress(this.remote)}`);
  }

  /** The owner died. */
  crash(manner: CrashManner): void {
    this.#state = "gone";
    this.#known = true;
    this.#dialTimer?.cancel();
    if (manner === "killed") this.#outgoing?.reset("read ECONNRESET");
    else this.#outgoing?.close();
  }

  opened(): void {
    if (this.#state !== "dialling") return;
    this.#dialTimer?.cancel();
    this.#state = "open";
    this.#owner.enter(ENTRY.opened, 0, () => {
      if (this.#state === "open") this.onOpen();
    });
  }

  received(bytes: Uint8Array): void {
    if (this.#state === "gone") this.#resetFar();
    else if (this.#state === "open" || this.#state === "ended")
      this.#owner.enter(ENTRY.bytes, checksum(bytes), () => this.onData(bytes));
  }

  finished(): void {
    if (this.#state === "gone") this.#resetFar();
    if (this.#state === "open") this.#outgoing?.finish();
    this.#close(null);
  }

  reset(reason: string): void {
    if (this.#state !== "gone") this.#close(`${reason} ${formatAddress(this.remote)}`);
  }

  #refused(to: string): void {
    if (this.#state === "dialling") this.#close(`connect ECONNREFUSED ${to}`);
  }

  /** The machine is back, but nobody there knows this connection. */
  #resetFar(): void {
    const far = this.#far;
    this.#network.clock.setTimer(this.#network.drawDelayMs(), () => far?.reset("read ECONNRESET"));
  }

  #close(reason: string | null): void {
    if (this.#state === "closed" || this.#state === "gone") return;
    this.#state = "closed";
    this.#leave();
    this.#owner.enter(ENTRY.closed, 0, () => this.onClose(reason === null ? null : new Error(reason)));
  }

  #leave(): void {
    this.#dialTimer?.cancel();
    this.#owner.forget(this);
  }
}
