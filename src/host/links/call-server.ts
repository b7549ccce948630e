/**
 * The serving end of control-plane calls: finds the handler, runs it, and answers on the channel the call came on.
 */
import { assert } from "../../base/assert.ts";
import { CremaError } from "../../base/errors.ts";
import { ByteReader } from "../../wire/byte-reader.ts";
import { type CallFrame, type CallResultFrame, readCall, writeCallResult } from "../../wire/call-codec.ts";
import { FRAME_CALL_RESULT } from "../../wire/frame-types.ts";
import type { Identity } from "../../wire/handshake-codec.ts";
import { UnsendableValueError } from "../../wire/value-codec.ts";
import type { Channel } from "./channel.ts";

/** Serves one method. What it throws travels back: a `CremaError` as it is, anything else as `CREMA_INTERNAL`. */
export type CallHandler = (params: unknown, from: Identity, timeoutMs: number) => unknown | Promise<unknown>;

/** Handlers by method name, with a bound on the calls that are being served. */
export class CallServer {
  readonly #servedMax: number;
  readonly #handlers = new Map<string, CallHandler>();
  #serving = 0;
  /** A handler failed with something that is not a `CremaError`: a bug, or a broken invariant. */
  onHandlerFailure: (method: string, error: unknown) => void = () => {};

  constructor(servedMax: number) {
    this.#servedMax = servedMax;
  }

  /** Once per method. */
  handle(method: string, handler: CallHandler): void {
    assert(!this.#handlers.has(method), "one handler per method", { method });
    this.#handlers.set(method, handler);
  }

  /** A call arrived. Throws `WireError` when it is not one. */
  serve(channel: Channel, body: Uint8Array): void {
    const call = readCall(new ByteReader(body));
    const handler = this.#handlers.get(call.method);
    if (handler === undefined) {
      this.#refuse(channel, call, new CremaError("CREMA_PROTOCOL", `unknown method '${call.method}'`));
    } else if (this.#serving >= this.#servedMax) {
      const message = `this node serves ${this.#servedMax} calls already`;
      this.#refuse(channel, call, new CremaError("CREMA_BUSY", message, { retryable: true }));
    } else {
      void this.#run(channel, call, handler);
    }
  }

  async #run(channel: Channel, call: CallFrame, handler: CallHandler): Promise<void> {
    this.#serving++;
    try {
      const value = await handler(call.params, channel.remote, call.timeoutMs);
      this.#answer(channel, call, { type: "value", id: call.id, value });
    } catch (error) {
      if (!(error instanceof CremaError)) this.onHandlerFailure(call.method, error);
      this.#refuse(channel, call, asCremaError(error));
    } finally {
      this.#serving--;
    }
  }

  #refuse(channel: Channel, call: CallFrame, error: CremaError): void {
    this.#answer(channel, call, { type: "error", id: call.id, error });
  }

  /** Without room for the answer, or without a channel, the caller runs into its timeout or sees the channel close. */
  #answer(channel: Channel, call: CallFrame, result: CallResultFrame): void {
    const writer = channel.beginFrame(FRAME_CALL_RESULT);
    if (writer === null) return;
    try {
      writeCallResult(writer, result);
    } catch (error) {
      channel.cancelFrame();
      if (!(error instanceof UnsendableValueError)) throw error;
      this.#refuse(
        channel,
        call,
        new CremaError("CREMA_INTERNAL", `the result of '${call.method}' cannot travel: ${error.message}`),
      );
      return;
    }
    channel.endFrame();
  }
}

function asCremaError(error: unknown): CremaError {
  if (error instanceof CremaError) return error;
  return new CremaError("CREMA_INTERNAL", error instanceof Error ? error.message : String(error));
}
