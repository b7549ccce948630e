/**
 * When what a node writes is durable, and so may be acknowledged.
 */
export type FsyncPolicy =
  /** Once it is synced: it survives a loss of power. The default. */
  | { readonly type: "always" }
  /** Once the operating system has it: it survives the process. It is synced within so many milliseconds. */
  | { readonly type: "interval"; readonly intervalMs: number }
  /** Once the operating system has it, which syncs it when it likes. */
  | { readonly type: "never" };

const INTERVAL_MS_MAX = 60_000;

/** `always`, `never` or `interval:<ms>`, 1 .. 60,000 ms; null when `text` is none of them. */
export function parseFsync(text: string): FsyncPolicy | null {
  if (text === "always" || text === "never") return { type: text };
  const digits = /^interval:(\d{1,6})$/.exec(text)?.[1];
  const intervalMs = Number(digits);
  if (digits === undefined || intervalMs < 1 || intervalMs > INTERVAL_MS_MAX) return null;
  return { type: "interval", intervalMs };
}
