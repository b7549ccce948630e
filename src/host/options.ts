/**
 * Options of a node that hosts many groups.
 */
export interface HostOptions {
  /** What one Raft tick lasts. Default 100 ms. */
  readonly tickMs: number;
  /** Entries a group's log keeps in memory behind the applied index before it is compacted. Default 10,000. */
  readonly logEntriesMax: number;
  /** Bytes likewise. Default 16 MiB. */
  readonly logBytesMax: number;
  /** Bytes that the log of a small machine may have even when no member is known to need them. Default 1 MiB. */
  readonly logBytesMin: number;
  /** A checkpoint is due when the log has grown by so many bytes, and by the size of the last one. Default 16 MiB. */
  readonly checkpointLogBytes: number;
  /** A checkpoint is due when the last one is so old, and there is any log behind it. Default 5 min. */
  readonly checkpointIntervalMs: number;
  /** How long one turn may apply entries before it lets the event loop go on. Default 8 ms. */
  readonly applySliceMs: number;
  /** Bytes of commands waiting in one group for a leader that is not ready yet, before busy. Default 8 MiB. */
  readonly heldBytesMax: number;
}

export const DEFAULT_HOST_OPTIONS: HostOptions = Object.freeze({
  tickMs: 100,
  logEntriesMax: 10_000,
  logBytesMax: 16 * 1024 * 1024,
  logBytesMin: 1024 * 1024,
  checkpointLogBytes: 16 * 1024 * 1024,
  checkpointIntervalMs: 300_000,
  applySliceMs: 8,
  heldBytesMax: 8 * 1024 * 1024,
});
