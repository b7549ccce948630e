/** TTL, PTTL, EXPIRETIME and PEXPIRETIME: how long, or until when, a key lives. -1: for ever, -2: not at all. */

import type { CremaError } from "../../base/errors.ts";
import { type CommandSpec, singleKeySpec } from "../command-spec.ts";
import { integerForm, type ReplyForm, replyNumber } from "../reply-forms.ts";
import type { Request } from "../request.ts";
import { Fault, type Reply, type ReplySink } from "../vocabulary.ts";

const secondsForm: ReplyForm = (writer, value) => {
  writer.integer(roundedSeconds(replyNumber(value)));
};

export const TTL = remainingSpec("ttl", "seconds", secondsForm);
export const PTTL = remainingSpec("pttl", "milliseconds", integerForm);
export const EXPIRETIME = momentSpec("expiretime", "seconds", secondsForm);
export const PEXPIRETIME = momentSpec("pexpiretime", "milliseconds", integerForm);

function remainingSpec(name: string, unit: string, form: ReplyForm): CommandSpec {
  return singleKeySpec({
    name,
    arity: 2,
    flags: ["readonly", "fast"],
    group: "generic",
    summary: `Returns the expiration time in ${unit} of a key.`,
    run(request) {
      const key = request.arg(1);
      request.readKey(key, { type: "ttl", key }, form);
    },
  });
}

function momentSpec(name: string, unit: string, form: ReplyForm): CommandSpec {
  return singleKeySpec({
    name,
    arity: 2,
    flags: ["readonly", "fast"],
    group: "generic",
    summary: `Returns the expiration time of a key as a Unix ${unit} timestamp.`,
    run(request) {
      const { services, consistency } = request.client;
      const key = request.arg(1);
      const { door, requestTimeoutMs } = services;
      request.form = form;
      door.read(
        door.shardOf(key),
        { type: "ttl", key },
        consistency,
        requestTimeoutMs,
        new MomentSink(request),
      );
    },
  });
}

/** Turns what remains into a moment by this node's wall clock. */
class MomentSink implements ReplySink {
  readonly #request: Request;

  constructor(request: Request) {
    this.#request = request;
  }

  reply(value: Reply): void {
    if (value instanceof Fault) {
      this.#request.reply(value);
      return;
    }
    const remainingMs = replyNumber(value);
    const nowMs = Math.trunc(this.#request.client.services.door.wallMs());
    this.#request.reply(remainingMs < 0 ? remainingMs : nowMs + remainingMs);
  }

  fail(error: CremaError): void {
    this.#request.fail(error);
  }
}

/** Redis rounds to the nearest second; the negative answers stay as they are. */
function roundedSeconds(ms: number): number {
  return ms < 0 ? ms : Math.floor((ms + 500) / 1_000);
}
