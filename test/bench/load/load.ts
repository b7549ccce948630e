/** Load that began when it was made. */
export interface Load {
  /** Resolves when everything that was asked is answered, after `stop` or by itself; rejects at the first failure. */
  readonly finished: Promise<void>;
  /** Asks for nothing more. */
  stop(): void;
  /** Lets go of all connections. Idempotent. */
  destroy(): void;
}
