/**
 * Redis' glob patterns over bytes: `*` any run, `?` any byte, `[a-c]` and `[^x]` classes, `\` takes the next literally.
 * A pattern is compiled once. Matching needs at most (key bytes x pattern length) steps whatever the pattern: only the
 * last star is ever retried.
 */

const ANY_BYTE = -1;
const ANY_RUN = -2;
/** Codes from here down are classes: `CLASS_FIRST - n` is class n. */
const CLASS_FIRST = -3;

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const BACKSLASH = 0x5c;

/** One compiled pattern. */
export class Glob {
  /** A literal byte (0 .. 255) or one of the codes above, per position. */
  readonly #codes: number[] = [];
  /** Membership by byte, one per class. */
  readonly #classes: Uint8Array[] = [];

  constructor(pattern: string) {
    let at = 0;
    while (at < pattern.length) {
      const code = pattern.charCodeAt(at++);
      if (code === STAR) {
        if (this.#codes.at(-1) !== ANY_RUN) this.#codes.push(ANY_RUN);
      } else if (code === QUESTION) {
        this.#codes.push(ANY_BYTE);
      } else if (code === OPEN) {
        at = this.#compileClass(pattern, at);
      } else if (code === BACKSLASH && at < pattern.length) {
        this.#codes.push(pattern.charCodeAt(at++));
      } else {
        this.#codes.push(code);
      }
    }
  }

  matches(text: string): boolean {
    const codes = this.#codes;
    let at = 0;
    let next = 0;
    let retryCode = -1;
    let retryText = 0;
    while (at < text.length) {
      const code = codes[next];
      if (code === ANY_RUN) {
        retryCode = ++next;
        retryText = at;
      } else if (code !== undefined && this.#accepts(code, text.charCodeAt(at))) {
        next++;
        at++;
      } else if (retryCode >= 0) {
        // The last star takes one byte more.
        next = retryCode;
        at = ++retryText;
      } else {
        return false;
      }
    }
    while (codes[next] === ANY_RUN) next++;
    return next === codes.length;
  }

  #accepts(code: number, byte: number): boolean {
    if (code >= 0) return code === byte;
    if (code === ANY_BYTE) return true;
    return (this.#classes[CLASS_FIRST - code] as Uint8Array)[byte] === 1;
  }

  /** Compiles what follows a `[`; returns the position behind the class. A class without end runs to the end. */
  #compileClass(pattern: string, start: number): number {
    const members = new Uint8Array(256);
    let at = start;
    const negated = pattern.charCodeAt(at) === CARET;
    if (negated) at++;
    while (at < pattern.length && pattern.charCodeAt(at) !== CLOSE) {
      const code = pattern.charCodeAt(at);
      if (code === BACKSLASH && at + 1 < pattern.length) {
        members[pattern.charCodeAt(at + 1)] = 1;
        at += 2;
      } else if (pattern.charCodeAt(at + 1) === DASH && at + 2 < pattern.length) {
        const end = pattern.charCodeAt(at + 2);
        members.fill(1, Math.min(code, end), Math.max(code, end) + 1);
        at += 3;
      } else {
        members[code] = 1;
        at++;
      }
    }
    if (negated) for (let byte = 0; byte < 256; byte++) members[byte] = members[byte] === 1 ? 0 : 1;
    this.#codes.push(CLASS_FIRST - this.#classes.length);
    this.#classes.push(members);
    return at + 1;
  }
}
