/**
 * One request on its way through the door: from the arguments a client sent to the place in line where its reply is
 * written. It is the reply's sink itself, so that a request costs one object and neither promises nor closures.
 */
import type { CremaError } from "../base/errors.ts";
import { VALUE_BYTES_MAX } from "../base/limits.ts";
import type { Client } from "./client.ts";
import type { CommandEntry } from "./command-table.ts";
import { failureText, faultText, valueTooLarge, wrongArguments } from "./error-text.ts";
import { okForm, plainForm, type ReplyForm } from "./reply-forms.ts";
import { type Command, Fault, type Query, type Reply, type ReplySink } from "./vocabulary.ts";

/** How a request ended, for the metrics: answered, refused for what it asked, or failed for no fault of its own. */
export type Outcome = "ok" | "refused" | "failed";

/** Where a settled request reports. */
export interface RequestOwner {
  settled(request: Request): void;
}

/** A request and, later, its answer. Settled exactly once; what comes after that is ignored. */
export class Request implements ReplySink {
  readonly client: Client;
  readonly entry: CommandEntry;
  /** The command's name, then its arguments; binary strings. */
  readonly args: readonly string[];
  /** Monotonic time of arrival. */
  readonly startedMs: number;
  readonly #owner: RequestOwner;
  /** The next younger request of the connection; the queue's own business. */
  next: Request | null = null;
  /** CLIENT REPLY OFF or SKIP: the answer is not written. */
  silent = false;
  outcome: Outcome = "ok";
  settled = false;
  /** Bytes of all arguments. */
  readonly argumentBytes: number;
  /** How {@link Request.value} is written. */
  form: ReplyForm = plainForm;
  value: Reply = null;
  /** The error to answer instead of a value. */
  errorText: string | null = null;

  constructor(
    client: Client,
    entry: CommandEntry,
    args: readonly string[],
    startedMs: number,
    owner: RequestOwner,
  ) {
    this.client = client;
    this.entry = entry;
    this.args = args;
    this.startedMs = startedMs;
    this.#owner = owner;
    let bytes = 0;
    for (const arg of args) bytes += arg.length;
    this.argumentBytes = bytes;
  }

  /** Bytes of the answer, roughly: what it holds in memory until it is written. */
  get answerBytes(): number {
    const { value } = this;
    if (typeof value === "string") return value.length;
    return Array.isArray(value) ? bytesOf(value) : 0;
  }

  /** The argument at `index`, which the arity promises to exist. */
  arg(index: number): string {
    return this.args[index] as string;
  }

  /** Sends a query for `key` and answers in `form`. */
  readKey(key: string, query: Query, form: ReplyForm): void {
    const { door, requestTimeoutMs } = this.client.services;
    this.form = form;
    door.read(door.shardOf(key), query, this.client.consistency, requestTimeoutMs, this);
  }

  /** Sends a command for `key` and answers in `form`. */
  writeKey(key: string, command: Command, form: ReplyForm): void {
    const { door, requestTimeoutMs } = this.client.services;
    this.form = form;
    door.write(door.shardOf(key), command, requestTimeoutMs, this);
  }

  /** Answers `value` in `form`. */
  answer(form: ReplyForm, value: Reply): void {
    this.form = form;
    this.reply(value);
  }

  ok(): void {
    this.answer(okForm, null);
  }

  /** Answers an error that the request itself is to blame for. */
  refuse(text: string): void {
    if (this.settled) return;
    this.errorText = text;
    this.outcome = "refused";
    this.#settle();
  }

  /** Answers the wrong-arity error, naming the command, or `name` for a subcommand. */
  refuseArity(name: string = this.entry.spec.name): void {
    this.refuse(wrongArguments(name));
  }

  /** Whether `value` may be stored; refuses the request otherwise. */
  valueFits(value: string): boolean {
    if (value.length <= VALUE_BYTES_MAX) return true;
    this.refuse(valueTooLarge(value.length));
    return false;
  }

  reply(value: Reply): void {
    if (value instanceof Fault) {
      this.refuse(faultText(value.code));
      return;
    }
    if (this.settled) return;
    this.value = value;
    this.#settle();
  }

  fail(error: CremaError): void {
    if (this.settled) return;
    this.errorText = failureText(error);
    this.outcome = "failed";
    this.#settle();
  }

  #settle(): void {
    this.settled = true;
    this.#owner.settled(this);
  }
}

function bytesOf(values: readonly Reply[]): number {
  let bytes = 0;
  for (const value of values) {
    if (typeof value === "string") bytes += value.length;
    else if (Array.isArray(value)) bytes += bytesOf(value);
  }
  return bytes;
}
