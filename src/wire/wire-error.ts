/**
 * The one error every decoder of this room throws: the bytes that arrived are not what the protocol says.
 * It concerns the sender and the link, never the state of this node; whoever meets it closes the link.
 */

/** Bytes from outside that do not decode. `offset` is where reading stopped, in bytes from the start of the input. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset}`);
    this.offset = offset;
  }
}
