/**
 * What is asked of a database that is closed, as that of a full disk is, is refused by the promise: nothing is thrown at a timer.
 */
import { expect, it } from "vitest";
import { LevelDatabase } from "../../src/disk/level-database.ts";

it.each([
  ["write", (database: LevelDatabase) => database.write([{ sequence: 1, bytes: new Uint8Array(1) }], true)],
  ["sync", (database: LevelDatabase) => database.sync()],
  ["read", (database: LevelDatabase) => database.read(1)],
  ["drop", (database: LevelDatabase) => database.drop(1)],
] as const)("%s of a closed database rejects", async (_name, ask) => {
  const asked = ask(new LevelDatabase("nowhere"));
  await expect(asked).rejects.toThrow("the database is not open");
});
