/**
 * `crema-node/testing`: for whoever writes a log store of their own.
 */
export * from "./log-store.ts";
export { MemoryLogStore, MemoryMedium } from "./memory-log-store.ts";
