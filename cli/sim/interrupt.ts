/**
 * Ctrl-C while seeds run: what is done so far is still told.
 */

/** What a shell says of a command that Ctrl-C ended. */
export const EXIT_INTERRUPTED = 130;

/** Calls `stop` at the first Ctrl-C; a second one ends the process at once. Returns how to stop listening. */
export function onInterrupt(stop: () => void): () => void {
  let asked = false;
  const onSignal = (): void => {
    if (asked) process.exit(EXIT_INTERRUPTED);
    asked = true;
    stop();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return () => {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  };
}
