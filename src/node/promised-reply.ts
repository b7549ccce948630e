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
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(new CremaError("CREMA_ABORTED", "aborted before anything was sent"));
      return;
    }
    const onAbort = (): void => {
      reject(new CremaError("CREMA_ABORTED", "aborted while waiting for the answer", { ambiguous: true }));
    };
    signal?.addEventListener("abort", onAbort);
    start({
      reply: (value) => {
        signal?.removeEventListener("abort", onAbort);
        if (value instanceof Fault) reject(faultError(value));
        else resolve(value);
      },
      fail: (error) => {
        signal?.removeEventListener("abort", onAbort);
        reject(error);
      },
    });
  });
}

function faultError(fault: Fault): CremaError {
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
