/**
 * Reads the replies of one Redis connection only as far as needed to know that each is of the right kind, and allocates nothing
 * for it. What is expected comes in a cycle: the replies to one batch, over and over.
 */
export type ExpectedReply =
  /** `+OK` and the like. */
  | "status"
  /** The number of replicas that have everything: one at least. */
  | "replicas"
  /** A value of so many bytes, or, where that may be, nothing. */
  | { readonly bulkBytes: number; readonly mayMiss: boolean };

const CODE = { status: 43, error: 45, integer: 58, bulk: 36, lineFeed: 10, zero: 48, nine: 57, minus: 45 };

export class ReplyCounter {
  readonly #expected: readonly ExpectedReply[];
  readonly #onError: (text: string) => void;
  readonly #onNothing: () => void;
  #position = 0;
  /** First byte of the reply that is being read; 0 between replies. */
  #type = 0;
  #number = 0;
  #negative = false;
  #errorText = "";
  /** Bytes left of a value and the line end after it. */
  #bodyLeft = 0;

  /** `onError` hears every error reply, `onNothing` of every value that may be missing and is. */
  constructor(
    expected: readonly ExpectedReply[],
    onError: (text: string) => void,
    onNothing: () => void = () => {},
  ) {
    this.#expected = expected;
    this.#onError = onError;
    this.#onNothing = onNothing;
  }

  /** Answers how many replies ended in the first `length` bytes of `chunk`. Throws when one is not what was expected. */
  push(chunk: Uint8Array, length: number): number {
    let ended = 0;
    let at = 0;
    while (at < length) {
      if (this.#bodyLeft > 0) {
        const step = Math.min(this.#bodyLeft, length - at);
        this.#bodyLeft -= step;
        at += step;
        if (this.#bodyLeft === 0) ended += this.#end();
        continue;
      }
      const byte = chunk[at++] as number;
      if (this.#type === 0) this.#type = byte;
      else if (byte === CODE.lineFeed) ended += this.#endLine();
      else if (this.#type === CODE.error) this.#errorText += String.fromCharCode(byte);
      else if (byte >= CODE.zero && byte <= CODE.nine) this.#number = this.#number * 10 + byte - CODE.zero;
      else if (byte === CODE.minus) this.#negative = true;
    }
    return ended;
  }

  #endLine(): number {
    if (this.#type !== CODE.bulk || this.#negative) return this.#end();
    this.#bodyLeft = this.#number + 2;
    return 0;
  }

  #end(): number {
    if (this.#type === CODE.error) this.#onError(this.#errorText.trimEnd());
    else this.#check(this.#expected[this.#position] as ExpectedReply);
    this.#position = this.#position + 1 === this.#expected.length ? 0 : this.#position + 1;
    this.#type = 0;
    this.#number = 0;
    this.#negative = false;
    this.#errorText = "";
    return 1;
  }

  #check(expected: ExpectedReply): void {
    if (expected === "status") {
      if (this.#type !== CODE.status)
        throw new Error(`a reply of type ${this.#typeText} instead of a status`);
    } else if (expected === "replicas") {
      if (this.#type !== CODE.integer || this.#number < 1)
        throw new Error(`WAIT was answered with ${this.#typeText}${this.#number}`);
    } else if (expected.mayMiss && this.#type === CODE.bulk && this.#negative) {
      this.#onNothing();
    } else if (this.#type !== CODE.bulk || this.#negative || this.#number !== expected.bulkBytes) {
      const found = this.#negative ? "nothing" : `${this.#typeText}${this.#number}`;
      throw new Error(`a key was read as ${found} instead of ${expected.bulkBytes} bytes`);
    }
  }

  get #typeText(): string {
    return String.fromCharCode(this.#type);
  }
}
