/**
 * The reference store passes the suite that it explains.
 */
import { describe, it } from "vitest";
import { LOG_STORE_CLAIMS, type LogStoreSubject } from "./log-store.ts";
import { MemoryLogStore, MemoryMedium } from "./memory-log-store.ts";

function subject(): LogStoreSubject {
  const medium = new MemoryMedium();
  let store: MemoryLogStore | null = null;
  return {
    open: () => {
      store = new MemoryLogStore(medium);
      return store;
    },
    settle: async () => {
      store?.flush();
      await Promise.resolve();
    },
    crash: async () => store?.crash(),
    setFull: (full) => {
      medium.full = full;
    },
    setBroken: (broken) => {
      medium.broken = broken;
    },
  };
}

describe("the log store in memory", () => {
  it.each(LOG_STORE_CLAIMS)("$title", async ({ check }) => {
    await check(subject());
  });
});
