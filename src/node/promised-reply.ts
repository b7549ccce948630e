/**
 * A reply sink for callers that wait with a promise.
 */
import { CremaError } from "../base/errors.ts";
import { Fault, type Reply } from "../cache/reply.ts";
import type { ReplySink } from "./door.ts";

/** What `signal` needs to be: the part of AbortSignal that is used here. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * Calls `start` with a sink and resolves with its reply; faults and failures reject as `CremaError`. An abort stops the
 * waiting only: a write that was already sent may still be applied, and the error says so.
 */
export function promisedReply(start: (sink: ReplySink) => void, signal?: AbortSignalLike): Promise<Reply> {
  return promisedResult(start, asItIs, signal);
}

/**
 * Likewise, but resolves with what `resultOf` makes of the reply: one promise where another one behind it would make two. `resultOf` is
 * called where the reply is found, in the turn of the node, so it must be quick and must not throw.
 */
export function promisedResult<Result>(
  start: (sink: ReplySink) => void,
  resultOf: (reply: Reply) => Result,
  signal?: AbortSignalLike,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    if (!signal) {
      start(new PromiseSink(resolve, reject, resultOf));
    } else if (signal.aborted) {
      reject(new CremaError("CREMA_ABORTED", "aborted before anything was sent"));
    } else {
      start(new AbortableSink(new PromiseSink(resolve, reject, resultOf), signal));
    }
  });
}

function asItIs(reply: Reply): Reply {
  return reply;
}

class PromiseSink<Result> implements ReplySink {
  readonly #resolve: (result: Result) => void;
  readonly #reject: (error: CremaError) => void;
  readonly #resultOf: (reply: Reply) => Result;

  constructor(
    resolve: (result: Result) => void,
    reject: (error: CremaError) => void,
    resultOf: (reply: Reply) => Result,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#resultOf = resultOf;
  }

  reply(value: Reply): void {
    if (value instanceof Fault) this.#reject(faultError(value));
    else this.#resolve(this.#resultOf(value));
  }

  fail(error: CremaError): void {
    this.#reject(error);
  }
}

/** Fails `sink` when `signal` aborts; what comes later has no effect on its promise. */
class AbortableSink implements ReplySink {
  readonly #sink: ReplySink;
  readonly #signal: AbortSignalLike;
  readonly #onAbort = (): void => {
    this.#sink.fail(
      new CremaError("CREMA_ABORTED", "aborted while waiting for the answer", { ambiguous: true }),
    );
  };

  constructor(sink: ReplySink, signal: AbortSignalLike) {
    this.#sink = sink;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort);
  }

  reply(value: Reply): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#sink.reply(value);
  }

  fail(error: CremaError): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#sink.fail(error);
  }
}

export function faultError(fault: Fault): CremaError {
  switch (fault.code) {
    case "not-an-integer":
    case "not-a-float":
    case "wrong-type":
      return new CremaError("CREMA_WRONG_TYPE", `the value does not suit the command: ${fault.code}`);
    case "increment-overflow":
    case "increment-nan":
      return new CremaError("CREMA_WRONG_TYPE", `the result does not fit: ${fault.code}`);
    case "shard-full":
      return new CremaError("CREMA_BUSY", "the shard is full", { retryable: true });
    case "value-too-large":
      return new CremaError("CREMA_VALUE_TOO_LARGE", "the resulting value would be too large");
    case "no-such-key":
      return new CremaError("CREMA_WRONG_TYPE", "no such key");
    case "session-expired":
    case "session-overrun":
    case "already-acknowledged":
      return new CremaError("CREMA_INTERNAL", `a command met its session in state ${fault.code}`);
  }
}
