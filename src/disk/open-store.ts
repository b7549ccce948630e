/**
 * The store of one node on its data directory: opened and read, or put aside when it cannot be believed.
 */
import type { StoredPast } from "../host/ports.ts";
import type { DataDirectory } from "./data-directory.ts";
import type { DiskOptions } from "./disk-options.ts";
import { LevelDatabase } from "./level-database.ts";
import { LevelLogStore } from "./level-log-store.ts";

export interface OpenedStore {
  readonly store: LevelLogStore;
  readonly past: StoredPast;
}

/** Rejects with CREMA_STORE_DAMAGED when this disk must not vote any more, CREMA_DISK_FULL, CREMA_STORE_UNWRITABLE. */
export async function openStore(
  directory: DataDirectory,
  options: DiskOptions,
  log: (level: "info" | "warn" | "error", message: string) => void,
): Promise<OpenedStore> {
  const { logPath, checkpointsPath } = directory;
  const database = new LevelDatabase(logPath);
  const store = new LevelLogStore({ database, logPath, checkpointsPath, options, log });
  try {
    return { store, past: await store.load() };
  } catch (error) {
    await store.close();
    throw error;
  }
}
