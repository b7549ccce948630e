/**
 * Control-plane calls: ask a method of another node and await the answer. To a node id over its link; to an address
 * over a short connection of its own, because who lives there may be unknown. Every call ends, by its deadline at last.
 */
import type { Address } from "../../base/address.ts";
import { CremaError } from "../../base/errors.ts";
import type { NodeId } from "../../base/ids.ts";
import { ByteReader } from "../../wire/byte-reader.ts";
import { readCallResult, writeCall } from "../../wire/call-codec.ts";
import { FRAME_CALL, FRAME_CALL_RESULT } from "../../wire/frame-types.ts";
import type { Identity } from "../../wire/handshake-codec.ts";
import { UnsendableValueError } from "../../wire/value-codec.ts";
import type { Timer } from "../ports.ts";
import { type CallHandler, CallServer } from "./call-server.ts";
import type { Channel } from "./channel.ts";
import type { Dial } from "./dialler.ts";
import type { PeerLinks } from "./peer-links.ts";

export interface CallOptions {
  /** From now to the answer, dialling included, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** What a call to an address found. */
export interface AddressedResult {
  readonly value: unknown;
  /** Who answered. */
  readonly remote: Identity;
  /** The address is this very process. */
  readonly self: boolean;
}

/** One call that waits. */
interface OpenCall {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
  readonly deadlineMs: number;
  readonly timer: Timer;
  readonly resolve: (result: AddressedResult) => void;
  readonly reject: (error: Error) => void;
  readonly forget: () => void;
  /** Where it was sent; null until then. */
  channel: Channel | null;
  /** The dial or channel made for this call alone. */
  ownDial: Dial | null;
  ownChannel: Channel | null;
}

/**
 * Errors of calls: `CREMA_UNREACHABLE` (never sent, or ambiguous when the channel broke first), `CREMA_TIMEOUT`
 * (ambiguous once sent), `CREMA_BUSY`, `CREMA_ABORTED`, `CREMA_CLOSED`, what the handshake refused, what the remote
 * handler threw.
 */
export class Calls {
  readonly #links: PeerLinks;
  readonly #server: CallServer;
  readonly #open = new Map<number, OpenCall>();
  #lastId = 0;
  #closed = false;

  constructor(links: PeerLinks) {
    this.#links = links;
    this.#server = new CallServer(links.options.callsServedMax);
    links.setRoute(FRAME_CALL, (channel, body) => this.#server.serve(channel, body));
    links.setRoute(FRAME_CALL_RESULT, (channel, body) => this.#resolve(channel, body));
    links.addCloseListener((channel) => this.#channelLost(channel));
    links.setDoor("call", (channel) => {
      channel.onFrame = (type, body) => {
        if (type === FRAME_CALL) this.#server.serve(channel, body);
      };
    });
  }

  /** A handler failed with something that is not a `CremaError`. */
  set onHandlerFailure(callback: (method: string, error: unknown) => void) {
    this.#server.onHandlerFailure = callback;
  }

  /** Calls that wait for an answer. */
  get waiting(): number {
    return this.#open.size;
  }

  /** Serves `method`. Once per method. */
  handle(method: string, handler: CallHandler): void {
    this.#server.handle(method, handler);
  }

  /** Asks `target` and answers what its handler returned. `target` may be any node but this one. */
  async call(
    target: NodeId | Address,
    method: string,
    params: unknown,
    options: CallOptions,
  ): Promise<unknown> {
    if (typeof target !== "string") return (await this.callAddress(target, method, params, options)).value;
    const result = await this.#start(method, params, options, (call) => {
      this.#links.whenUp(target, (channel, error) => this.#sendOver(call, channel, error));
    });
    return result.value;
  }

  /** Asks whoever lives at `address`, and tells who that is. */
  callAddress(
    address: Address,
    method: string,
    params: unknown,
    options: CallOptions,
  ): Promise<AddressedResult> {
    return this.#start(method, params, options, (call) => {
      call.ownDial = this.#links.dial({ to: address, purpose: "call", expected: null }, (channel, error) => {
        call.ownDial = null;
        if (channel !== null) this.#adopt(call, channel);
        this.#sendOver(call, channel, error);
      });
    });
  }

  /** Fails every open call with `CREMA_CLOSED`. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const call of [...this.#open.values()]) {
      this.#fail(
        call,
        new CremaError("CREMA_CLOSED", "this node is closing", { ambiguous: call.channel !== null }),
      );
    }
  }

  /** Fails the calls that wait for an answer on `channel`, which is gone. */
  #channelLost(channel: Channel): void {
    for (const call of [...this.#open.values()]) {
      if (call.channel === channel) this.#lost(call, channel);
    }
  }

  #start(
    method: string,
    params: unknown,
    options: CallOptions,
    send: (call: OpenCall) => void,
  ): Promise<AddressedResult> {
    if (this.#closed) return Promise.reject(new CremaError("CREMA_CLOSED", "this node is closing"));
    if (options.signal?.aborted) return Promise.reject(aborted(method, false));
    if (this.#open.size >= this.#links.options.callsWaitingMax) {
      const message = `${this.#open.size} calls of this node wait already`;
      return Promise.reject(new CremaError("CREMA_BUSY", message, { retryable: true }));
    }
    return new Promise((resolve, reject) => {
      const call = this.#register(method, params, options, resolve, reject);
      send(call);
    });
  }

  #register(
    method: string,
    params: unknown,
    options: CallOptions,
    resolve: (result: AddressedResult) => void,
    reject: (error: Error) => void,
  ): OpenCall {
    const { clock } = this.#links;
    const id = ++this.#lastId;
    const onAbort = (): void => this.#fail(call, aborted(method, call.channel !== null));
    const timer = clock.setTimer(options.timeoutMs, () => {
      const message = `no answer to '${method}' within ${options.timeoutMs} ms`;
      this.#fail(
        call,
        new CremaError("CREMA_TIMEOUT", message, { retryable: true, ambiguous: call.channel !== null }),
      );
    });
    const call: OpenCall = {
      id,
      method,
      params,
      deadlineMs: clock.nowMs() + options.timeoutMs,
      timer,
      resolve,
      reject,
      forget: () => options.signal?.removeEventListener("abort", onAbort),
      channel: null,
      ownDial: null,
      ownChannel: null,
    };
    options.signal?.addEventListener("abort", onAbort);
    this.#open.set(id, call);
    return call;
  }

  #adopt(call: OpenCall, channel: Channel): void {
    call.ownChannel = channel;
    channel.onFrame = (type, body) => {
      if (type === FRAME_CALL_RESULT) this.#resolve(channel, body);
    };
    channel.onClose = () => this.#lost(call, channel);
  }

  #sendOver(call: OpenCall, channel: Channel | null, error: CremaError | null): void {
    if (this.#open.get(call.id) !== call) return;
    if (channel === null) {
      this.#fail(
        call,
        error ?? new CremaError("CREMA_UNREACHABLE", "the node is unreachable", { retryable: true }),
      );
      return;
    }
    const writer = channel.beginFrame(FRAME_CALL);
    if (writer === null) {
      const message = `too much waits to be sent to node ${channel.remote.node}`;
      this.#fail(call, new CremaError("CREMA_BUSY", message, { retryable: true }));
      return;
    }
    const { id, method, params } = call;
    const timeoutMs = Math.max(0, call.deadlineMs - this.#links.clock.nowMs());
    try {
      writeCall(writer, { id, method, timeoutMs, params });
    } catch (failure) {
      channel.cancelFrame();
      if (!(failure instanceof UnsendableValueError)) throw failure;
      this.#fail(call, failure);
      return;
    }
    channel.endFrame();
    call.channel = channel;
  }

  /** An answer arrived. One that nobody waits for any more is late, not wrong. */
  #resolve(channel: Channel, body: Uint8Array): void {
    const result = readCallResult(new ByteReader(body));
    const call = this.#open.get(result.id);
    if (call === undefined || call.channel !== channel) return;
    if (result.type === "error") {
      this.#fail(call, result.error);
      return;
    }
    this.#settle(call);
    call.resolve({ value: result.value, remote: channel.remote, self: channel.isSelf });
  }

  #lost(call: OpenCall, channel: Channel): void {
    if (this.#open.get(call.id) !== call) return;
    const message = `the connection to node ${channel.remote.node} broke before '${call.method}' was answered`;
    this.#fail(call, new CremaError("CREMA_UNREACHABLE", message, { retryable: true, ambiguous: true }));
  }

  #fail(call: OpenCall, error: Error): void {
    if (this.#open.get(call.id) !== call) return;
    this.#settle(call);
    call.reject(error);
  }

  #settle(call: OpenCall): void {
    this.#open.delete(call.id);
    call.timer.cancel();
    call.forget();
    call.ownDial?.cancel();
    call.ownChannel?.close();
  }
}

function aborted(method: string, ambiguous: boolean): CremaError {
  return new CremaError("CREMA_ABORTED", `the call of '${method}' was aborted by its caller`, { ambiguous });
}
