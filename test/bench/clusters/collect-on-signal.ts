/**
 * Loaded before a node of ours (`--expose-gc --import`): on SIGUSR2 all garbage is collected, so that what is left can be compared.
 */
import { COLLECTED_LINE } from "./collected-line.ts";

/** What one collection lets go of may free more for the next. */
const COLLECTIONS = 3;

process.on("SIGUSR2", () => {
  if (globalThis.gc === undefined) throw new Error("start this process with --expose-gc");
  for (let round = 0; round < COLLECTIONS; round++) globalThis.gc();
  console.log(COLLECTED_LINE);
});
